// test/grammar.test.ts
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { before, test } from "node:test";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";
var root = process.cwd();
var require2 = createRequire(path.join(root, "package.json"));
var update = process.env["UPDATE_EXPECT"] !== void 0;
var examples = JSON.parse(
  readFileSync(path.join(root, "test/fixtures/tokens.json"), "utf8")
);
function spans(told) {
  return told === "" ? [] : told.split(", ").map((one) => {
    const [, from, to, kind] = /^(\d+)-(\d+) (\w+)$/.exec(one) ?? [];
    return { from: Number(from), to: Number(to), kind: kind ?? "" };
  });
}
var fly;
before(async () => {
  await oniguruma.loadWASM(readFileSync(require2.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
  const grammars = {
    "source.fly": path.join(root, "syntaxes/fly.tmLanguage.json"),
    "source.shell": require2.resolve("tm-grammars/grammars/shellscript.json")
  };
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text)
    }),
    loadGrammar: (scope) => {
      const file = grammars[scope];
      return Promise.resolve(
        file === void 0 ? null : JSON.parse(readFileSync(file, "utf8"))
      );
    }
  });
  const grammar = await registry.loadGrammar("source.fly");
  assert.ok(grammar);
  fly = grammar;
});
function tokenize(lines) {
  let state = textmate.INITIAL;
  return lines.map((line) => {
    const found = fly.tokenizeLine(line, state);
    assert.ok(!found.stoppedEarly, line);
    state = found.ruleStack;
    return found.tokens.map((token) => ({
      from: token.startIndex,
      to: Math.min(token.endIndex, line.length),
      scopes: token.scopes.slice(1)
    }));
  });
}
var scopes = {
  keyword: ["keyword.other.block", "entity.name.type.block", "constant.language", "variable.language"],
  property: ["variable.other.property", "variable.other.readwrite", "string.quoted"],
  string: ["string.quoted", "string.unquoted"],
  heredoc: ["string.unquoted.heredoc"],
  number: ["constant.numeric"],
  comment: ["comment."],
  documentation: ["comment.line.documentation"],
  operator: ["keyword.operator"],
  function: ["support.function"],
  enumMember: [
    "variable.other.enummember",
    "variable.other.member",
    "constant.language",
    "storage.type",
    "punctuation.definition.typeparameters"
  ],
  variable: ["variable.other.member", "variable.other.readwrite", "variable.other.property", "string.quoted"],
  class: ["variable.other.member", "string.quoted"]
};
for (const example of examples) {
  test(`flyc and the grammar agree on ${example.name}`, () => {
    const seen = tokenize(example.lines.map(([text]) => text));
    const wrong = [];
    example.lines.forEach(([text, lexer, meaning], at) => {
      const line = seen[at] ?? [];
      const at_ = (column) => line.find((token) => token.from <= column && column < token.to)?.scopes ?? [];
      const is = (column, kind) => at_(column).some((scope) => scopes[kind]?.some((begin) => scope.startsWith(begin)));
      const complain = (span, column) => {
        const word = text.slice(span.from, span.to);
        wrong.push(`${at + 1}:${column + 1}: ${span.kind} ${word} is [${at_(column).join(" ")}]`);
      };
      const told = spans(lexer);
      for (const span of [...told, ...spans(meaning)]) {
        assert.ok(span.kind in scopes, `no scopes are known for ${span.kind}`);
        for (let column = span.from; column < span.to; column++) {
          if (text[column] !== " " && !is(column, span.kind)) {
            complain(span, column);
            break;
          }
        }
      }
      for (const token of line) {
        for (let column = token.from; column < token.to; column++) {
          const inside = told.find((span) => span.from <= column && column < span.to)?.kind;
          const text_ = inside === "string" || inside === "heredoc";
          const claims = (begin) => token.scopes.some((scope) => scope.startsWith(begin));
          if (claims("comment.") && inside === void 0 || claims("string.") && !text_ || claims("constant.numeric") && inside !== "number" && !text_) {
            complain({ ...token, kind: inside ?? "code" }, column);
            break;
          }
        }
      }
    });
    assert.deepEqual(wrong, []);
  });
}
var ofFly = (scopes2) => scopes2.filter((scope) => !scope.endsWith(".shell"));
function isCurrent(file, text) {
  const full = path.join(root, "test/snapshots", file);
  if (update) {
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
  assert.equal(
    existsSync(full) ? readFileSync(full, "utf8") : "",
    text,
    `${file} is not current: UPDATE_EXPECT=1 npm test`
  );
}
test("what every example is seen as", () => {
  for (const example of examples) {
    const lines = example.lines.map(([text]) => text);
    const told = tokenize(lines).map((line, at) => {
      const text = lines[at] ?? "";
      const words = line.map((token) => [text.slice(token.from, token.to), ofFly(token.scopes).slice(-2).join(" ")]).filter(([word]) => word.trim() !== "").map(([word, scope]) => `[${scope.replaceAll(".fly", "") || "plain"}] ${word.trim()}`);
      return [`> ${text}`.trimEnd(), ...words.length > 0 ? [`  ${words.join("  ")}`] : []].join("\n");
    });
    isCurrent(`${example.name.replaceAll("/", "_")}.txt`, `${told.join("\n")}
`);
  }
});
test("the words of every class", () => {
  const words = /* @__PURE__ */ new Map();
  for (const example of examples) {
    const lines = example.lines.map(([text]) => text);
    tokenize(lines).forEach((line, at) => {
      for (const token of line) {
        const word = (lines[at] ?? "").slice(token.from, token.to).trim();
        const scope = ofFly(token.scopes).at(-1) ?? "(plain)";
        if (word !== "") {
          words.set(scope, (words.get(scope) ?? /* @__PURE__ */ new Set()).add(word));
        }
      }
    });
  }
  const told = [...words].sort(([a], [b]) => a < b ? -1 : 1).map(([scope, found]) => {
    const sorted = [...found].sort();
    const shown = sorted.slice(0, 40).map((word) => `    ${word}`);
    return [scope, ...shown, ...sorted.length > 40 ? [`    \u2026 ${sorted.length} in all`] : []].join("\n");
  });
  isCurrent("classes.txt", `${told.join("\n")}
`);
});
//# sourceMappingURL=grammar.test.mjs.map
