// The server's process, tried with programs that misbehave.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Command, Process, Restarts, failure, within } from "../src/process";

const node = (script: string): Command => ({
  program: process.execPath,
  arguments: ["-e", script],
  environment: { FLY_TRIED: "yes" },
  folder: undefined,
});

test("how a server ended, and its last words", async () => {
  const started = new Process(node("console.error('first\\n' + process.env.FLY_TRIED + ': last\\n'); process.exitCode = 3"));
  await started.spawned;
  await started.ended;
  assert.equal(started.how, "ended with code 3");
  assert.equal(started.lastLine, "yes: last");
});

test("a server that never answers is given up, and can be ended", async () => {
  const started = new Process(node("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"));
  await started.spawned;
  const answer = new Promise<void>(() => undefined);
  await assert.rejects(within(answer, 10), /has not answered within 0.01 seconds/);
  started.kill();
  await started.ended;
  assert.equal(started.how, process.platform === "win32" ? started.how : "was ended by SIGKILL");
});

test("whoever restarts does not wait for the one before", async () => {
  const given = new AbortController();
  const waiting = within(new Promise<void>(() => undefined), 1_000_000, given.signal);
  given.abort();
  await assert.rejects(waiting, /not waited for/);
  await assert.rejects(within(new Promise<void>(() => undefined), 1_000_000, given.signal), /not waited for/);
  assert.equal(await within(Promise.resolve(1), 1_000_000), 1);
});

test("a program that isn't there", async () => {
  const started = new Process({ program: "/nowhere/fly-lsp", arguments: [], environment: {}, folder: undefined });
  await assert.rejects(started.spawned, /ENOENT/);
  await started.ended;
});

test("one message says what did not start, how it ended, what it said and what to do", () => {
  const flyc = { program: "/bin/flyc", arguments: [], environment: {}, folder: undefined };
  assert.equal(
    failure(flyc, "ended with code 2", "Usage: flyc <COMMAND>", "connection closed"),
    "The Fly language server did not start: /bin/flyc. It ended with code 2 before it answered. " +
      'flyc is a language server only with "fly.server.arguments": ["lsp"].',
  );
  assert.equal(
    failure({ ...flyc, program: "fly-lsp" }, "ended with code 3", "error: no such flag", "connection closed"),
    "The Fly language server did not start: fly-lsp. It ended with code 3 before it answered. It said: error: no such flag",
  );
  assert.ok(failure({ ...flyc, program: "C:\\bin\\flyc.exe" }, undefined, undefined, "x").endsWith('["lsp"].'));
  assert.equal(
    failure({ ...flyc, arguments: ["lsp"] }, undefined, undefined, "it has not answered"),
    "The Fly language server did not start: /bin/flyc lsp. It has not answered.",
  );
});

test("a server that keeps ending is not started for ever", () => {
  const restarts = new Restarts(2, 100);
  assert.deepEqual([0, 10, 20, 100, 115].map((now) => restarts.another(now)), [true, true, false, false, false]);
  assert.equal(restarts.another(1000), true);
});
