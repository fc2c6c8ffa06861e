// Where the server is looked for, on machines that are tables.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Surroundings, discover, discoverFlyc, expand } from "../src/discover";

/** A machine with these programs. */
function machine(programs: string[], changes: Partial<Surroundings> = {}): Surroundings {
  return {
    setting: "",
    env: { PATH: "/usr/bin:/bin" },
    home: "/home/ada",
    windows: false,
    folder: "/nest",
    isProgram: (file) => programs.includes(file),
    resolve: (file) => file,
    ...changes,
  };
}

const program = (around: Surroundings): string | undefined => {
  const found = discover(around);
  return found.found ? found.program : undefined;
};

test("each place is found when the ones before it are empty", () => {
  const everywhere = [
    "/opt/fly-lsp",
    "/usr/bin/fly-lsp",
    "/bin/fly-lsp",
    "/tools/fly-lsp",
    "/real/fly-lsp",
    "/home/ada/.cargo/bin/fly-lsp",
  ];
  const flyc = "/tools/flyc";
  const around = (gone: number): Surroundings =>
    machine([...everywhere.slice(gone), flyc], {
      setting: gone === 0 ? "/opt/fly-lsp" : "",
      env: { PATH: "/usr/bin:/bin:/tools" },
      resolve: (file) => (file === flyc ? "/real/flyc" : file),
    });
  const found = everywhere.map((_, gone) => program(around(gone)));
  assert.deepEqual(found, everywhere);
  assert.equal(program(around(everywhere.length)), undefined);
});

test("what is looked at is told when nothing is found", () => {
  const bare = machine([]);
  assert.deepEqual(discover(bare), {
    found: false,
    wrongSetting: undefined,
    looked: [
      "fly-lsp on the PATH",
      "beside flyc, which isn't on the PATH either",
      "/home/ada/.cargo/bin/fly-lsp",
    ],
  });
  const withFlyc = machine(["/usr/bin/flyc"], { env: { PATH: "/usr/bin", CARGO_HOME: "/cargo" } });
  const found = discover(withFlyc);
  assert.deepEqual(!found.found && found.looked, [
    "fly-lsp on the PATH",
    "/usr/bin/fly-lsp",
    "/cargo/bin/fly-lsp",
  ]);
});

test("a setting that names nothing is an error, and nothing else is taken instead", () => {
  const found = discover(machine(["/usr/bin/fly-lsp"], { setting: "/nowhere/fly-lsp" }));
  assert.deepEqual(found, {
    found: false,
    wrongSetting: "/nowhere/fly-lsp",
    looked: ["/nowhere/fly-lsp"],
  });
});

test("a setting may be a name, a relative path, or have places in it", () => {
  const programs = ["/usr/bin/flyc", "/nest/bin/fly-lsp", "/home/ada/fly-lsp", "/built/fly-lsp"];
  const env = { PATH: "/usr/bin", OUT: "/built" };
  const named = (setting: string): string | undefined => program(machine(programs, { setting, env }));
  assert.equal(named("flyc"), "/usr/bin/flyc");
  assert.equal(named("bin/fly-lsp"), "/nest/bin/fly-lsp");
  assert.equal(named("${workspaceFolder}/bin/fly-lsp"), "/nest/bin/fly-lsp");
  assert.equal(named("~/fly-lsp"), "/home/ada/fly-lsp");
  assert.equal(named(" ${env:OUT}/fly-lsp "), "/built/fly-lsp");
  assert.equal(expand("${env:NONE}~", machine([])), "~");
});

test("programs of Windows end in .exe", () => {
  const around = machine(["C:\\tools\\fly-lsp.exe"], {
    windows: true,
    env: { Path: "C:\\Windows;C:\\tools" },
    home: "C:\\Users\\ada",
  });
  assert.equal(program(around), "C:\\tools\\fly-lsp.exe");
  assert.equal(program({ ...around, setting: "C:\\tools\\fly-lsp" }), "C:\\tools\\fly-lsp.exe");
});

test("flyc stands beside the server, on the PATH, or in cargo's folder", () => {
  const all = ["/opt/flyc", "/bin/flyc", "/home/ada/.cargo/bin/flyc"];
  const found = [0, 1, 2, 3].map((gone) => discoverFlyc(machine(all.slice(gone)), "/opt/fly-lsp"));
  assert.deepEqual(found, [...all, undefined]);
});
