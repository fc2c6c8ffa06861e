// A new egg, of the snippet that the package brings along.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { eggSnippet, wrongName } from "../src/snippet";

const file = readFileSync("snippets/fly.json", "utf8");

test("a new egg has its name, and places for the rest", () => {
  assert.match(eggSnippet(file, "web-2"), /^egg "web-2" \{\n {2}type = "\$\{2:/);
  assert.match(eggSnippet(file, undefined), /^egg "\$\{1:/);
});

test("a name is one that the language takes", () => {
  assert.deepEqual(["a", "my-app_2", "2", "a".repeat(63)].filter((name) => wrongName(name) !== undefined), []);
  const wrong = ["", "-a", "_a", "a b", "../a", "a/b", "ä", "a".repeat(64)];
  assert.deepEqual(wrong.filter((name) => wrongName(name) === undefined), []);
});
