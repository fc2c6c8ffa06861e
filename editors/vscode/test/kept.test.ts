// Which texts are kept.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Kept } from "../src/kept";

test("the texts looked at last are kept, and no more", () => {
  const kept = new Kept(2);
  kept.set("a", "1");
  kept.set("b", "2");
  assert.equal(kept.get("a"), "1");
  kept.set("c", "3");
  assert.deepEqual(["a", "b", "c"].map((name) => kept.get(name)), ["1", undefined, "3"]);
  kept.set("a", "4");
  kept.set("a", "5");
  assert.deepEqual(["a", "c"].map((name) => kept.get(name)), ["5", "3"]);
});
