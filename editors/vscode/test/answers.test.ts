// What the server's commands may answer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventOf, filesOf, idOf, languagesOf, markdownOf, pageOf } from "../src/answers";
import { only } from "../src/tokens";

test("answers of another form give nothing", () => {
  assert.equal(markdownOf({ markdown: "# page" }), "# page");
  for (const wrong of [null, undefined, 3, "text", {}, { markdown: 3 }, { markdown: "" }]) {
    assert.equal(markdownOf(wrong), undefined);
  }
  const file = { path: "eggs/a/main.tf", text: "" };
  assert.deepEqual(filesOf({ files: [file, { path: 3 }, null] }), [file]);
  for (const wrong of [null, [], { files: 3 }]) {
    assert.deepEqual(filesOf(wrong), []);
  }
});

test("generated files have languages", () => {
  const first = (path: string, text = ""): string | undefined => languagesOf({ path, text })[0];
  assert.equal(first("eggs/a/main.tf"), "opentofu");
  assert.equal(first("eggs/a/main.tf.json"), "json");
  assert.equal(first("eggs/a/user-data", "#cloud-config\n"), "yaml");
  assert.equal(first("a/openapi.yaml"), "yaml");
  assert.equal(first("start", "#!/bin/sh\n"), "shellscript");
  assert.equal(first("README.md"), "markdown");
  assert.equal(first("LICENSE"), "plaintext");
});

test("a diagnostic's id is its code", () => {
  assert.equal(idOf("type-mismatch"), "type-mismatch");
  assert.equal(idOf({ value: "type-mismatch", target: {} }), "type-mismatch");
  assert.equal(idOf(undefined), undefined);
  assert.equal(idOf(3), undefined);
  assert.equal(
    pageOf("https://polar-gosling.gitlab.io", "type-mismatch"),
    "https://polar-gosling.gitlab.io/reference/diagnostics/type-mismatch.html",
  );
});

test("an event is a JSON object", () => {
  assert.deepEqual(eventOf('{"object_kind": "build"}'), { event: { object_kind: "build" } });
  assert.deepEqual(eventOf("[]"), { problem: "an event is a JSON object" });
  assert.ok("problem" in eventOf("{"));
});

/** Tokens told by line and column as the protocol sends them, and back. */
function encode(tokens: [line: number, start: number, type: number][]): Uint32Array {
  let [line, start] = [0, 0];
  const data = tokens.flatMap(([at, column, type]) => {
    const told = [at - line, at === line ? column - start : column, 1, type, 0];
    [line, start] = [at, column];
    return told;
  });
  return Uint32Array.from(data);
}

test("the tokens that stay are where they were", () => {
  // Every sequence of five tokens of two types, over two lines in every way.
  for (let types = 0; types < 32; types++) {
    for (let lines = 0; lines < 16; lines++) {
      let [line, column] = [0, 0];
      const tokens = Array.from({ length: 5 }, (_, at): [number, number, number] => {
        const next = at > 0 && (lines >> (at - 1)) % 2 === 1;
        [line, column] = next ? [line + 1, at] : [line, column + 2];
        return [line, column, (types >> at) % 2];
      });
      const kept = tokens.filter(([, , type]) => type !== 1);
      assert.deepEqual(only(new Set([0]), encode(tokens)), encode(kept));
    }
  }
  assert.equal(only(new Set(), encode([[1, 2, 3]])).length, 0);
});
