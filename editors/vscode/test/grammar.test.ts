// What the grammar sees in every example of the language, tried with the engine that VS Code colours text with: a
// snapshot of it, and that it agrees with flyc. The fixture is written by `tests/editors/textmate.rs`.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { before, test } from "node:test";

import oniguruma from "vscode-oniguruma";
import textmate, { type IGrammar, type IRawGrammar, type StateStack } from "vscode-textmate";

const root = process.cwd();
const require = createRequire(path.join(root, "package.json"));
const update = process.env["UPDATE_EXPECT"] !== undefined;

interface Example {
  name: string;
  /** The text of a line, what the lexer says of it, and what it means. */
  lines: [text: string, lexer: string, meaning: string][];
}

interface Span {
  from: number;
  to: number;
  kind: string;
}

const examples = JSON.parse(
  readFileSync(path.join(root, "test/fixtures/tokens.json"), "utf8"),
) as Example[];

/** `0-4 keyword, 5-9 string` */
function spans(told: string): Span[] {
  return told === ""
    ? []
    : told.split(", ").map((one) => {
        const [, from, to, kind] = /^(\d+)-(\d+) (\w+)$/.exec(one) ?? [];
        return { from: Number(from), to: Number(to), kind: kind ?? "" };
      });
}

let fly: IGrammar;

before(async () => {
  await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
  const grammars: Record<string, string> = {
    "source.fly": path.join(root, "syntaxes/fly.tmLanguage.json"),
    "source.shell": require.resolve("tm-grammars/grammars/shellscript.json"),
  };
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: (scope) => {
      const file = grammars[scope];
      return Promise.resolve(
        file === undefined ? null : (JSON.parse(readFileSync(file, "utf8")) as IRawGrammar),
      );
    },
  });
  const grammar = await registry.loadGrammar("source.fly");
  assert.ok(grammar);
  fly = grammar;
});

interface Seen {
  from: number;
  to: number;
  scopes: string[];
}

/** The scopes of every line, without the outermost. */
function tokenize(lines: string[]): Seen[][] {
  let state: StateStack = textmate.INITIAL;
  return lines.map((line) => {
    const found = fly.tokenizeLine(line, state);
    assert.ok(!found.stoppedEarly, line);
    state = found.ruleStack;
    return found.tokens.map((token) => ({
      from: token.startIndex,
      to: Math.min(token.endIndex, line.length),
      scopes: token.scopes.slice(1),
    }));
  });
}

/** The scopes that a kind of word may have, by the beginning of one of them. */
const scopes: Record<string, string[]> = {
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
    "punctuation.definition.typeparameters",
  ],
  variable: ["variable.other.member", "variable.other.readwrite", "variable.other.property", "string.quoted"],
  class: ["variable.other.member", "string.quoted"],
};

for (const example of examples) {
  test(`flyc and the grammar agree on ${example.name}`, () => {
    const seen = tokenize(example.lines.map(([text]) => text));
    const wrong: string[] = [];
    example.lines.forEach(([text, lexer, meaning], at) => {
      const line = seen[at] ?? [];
      const at_ = (column: number): string[] =>
        line.find((token) => token.from <= column && column < token.to)?.scopes ?? [];
      const is = (column: number, kind: string): boolean =>
        at_(column).some((scope) => scopes[kind]?.some((begin) => scope.startsWith(begin)));
      const complain = (span: Span, column: number): void => {
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
      // And nothing else passes for a comment, a string or a number of Fly.
      for (const token of line) {
        for (let column = token.from; column < token.to; column++) {
          const inside = told.find((span) => span.from <= column && column < span.to)?.kind;
          const text_ = inside === "string" || inside === "heredoc";
          const claims = (begin: string): boolean => token.scopes.some((scope) => scope.startsWith(begin));
          if (
            (claims("comment.") && inside === undefined) ||
            (claims("string.") && !text_) ||
            (claims("constant.numeric") && inside !== "number" && !text_)
          ) {
            complain({ ...token, kind: inside ?? "code" }, column);
            break;
          }
        }
      }
    });
    assert.deepEqual(wrong, []);
  });
}

/** The last scope of every word of a text, line by line, without `.fly`. */
function words(text: string): [string, string][][] {
  const lines = text.split("\n");
  return tokenize(lines).map((line, at) =>
    line
      .map(({ from, to, scopes }): [string, string] => [
        (lines[at] ?? "").slice(from, to).trim(),
        (scopes.at(-1) ?? "").replace(/\.fly$/, ""),
      ])
      .filter(([word]) => word !== ""),
  );
}

/** What a word of the first line is. */
const scopeOf = (text: string, word: string): string | undefined =>
  words(text)[0]?.find(([found]) => found === word)?.[1];

test("no comment runs past its interpolation", () => {
  const after: [string, string][] = [
    ["after", "variable.other.readwrite"],
    ["=", "keyword.operator.assignment"],
    ["1", "constant.numeric"],
  ];
  for (const inside of ["VAR//-/_", "#LIST", " # ", "a /* b", "a /* { b } */", "{ a // b }", "// { } \"}\" c", "a <<EOT"]) {
    for (const lines of [`name = "a \${${inside}} b"`, `name = <<EOT\n  a \${${inside}} b\nEOT`]) {
      const seen = words(`${lines}\nafter = 1`);
      assert.deepEqual(seen.at(-1), after, lines);
      const b = seen.flat().findLast(([word]) => word.startsWith("b"));
      assert.match(b?.[1] ?? "", /^string\./, lines);
    }
  }
  assert.equal(scopeOf('a = "${b // why}"', "why"), "comment.line");
});

test("what begins a block is seen wherever it stands", () => {
  for (const line of ['egg "x" {', '  egg "x" {', 'egg "x"', "egg my-app {", 'egg"x"{', 'egg "x" # why', "locals"]) {
    assert.match(scopeOf(line, line.trim().split(/[ "]/)[0] ?? "") ?? "", /^keyword\.other\.block/, line);
  }
  for (const line of ["runner {", "runner", "  runner // why", "  runner /* why */ {"]) {
    assert.equal(scopeOf(line, "runner"), "entity.name.type.block", line);
  }
  assert.equal(scopeOf("egg my-app {", "my-app"), "entity.name.label");
  assert.equal(scopeOf("over = egg", "egg"), "constant.language");
});

test("names with dashes, and keys of maps", () => {
  assert.equal(scopeOf("ref = egg.my-app-2.cpu - 1", "my-app-2"), "variable.other.member");
  assert.equal(scopeOf("ref = egg.my-app-2.cpu - 1", "-"), "keyword.operator.arithmetic");
  assert.equal(scopeOf("ref = local.a-b", "-"), "keyword.operator.arithmetic");
  for (const line of ["m = { a: 1 }", "m = { b: 2, a : 1 }", "  a: 1", 'm = { "x y": 1 }']) {
    assert.equal(scopeOf(line, ":"), "punctuation.separator.key-value", line);
  }
  assert.equal(scopeOf("x = a ? b : c", ":"), "keyword.operator.ternary");
  assert.equal(scopeOf('x = min(1, a ? "b" : "c")', ":"), "keyword.operator.ternary");
});

test("a long line takes no longer than its length is worth", () => {
  tokenize(["script = \"true\""]);
  for (const part of ["a/*", "a/**/", "a/* */ ", '"${', "${", 'script = "', 'runner "${', '"a', "egg.a-", "{a,", "{"]) {
    const line = `a = ${part.repeat(6000)}`.slice(0, 12_000);
    const start = performance.now();
    tokenize([line]);
    const taken = performance.now() - start;
    // With patterns that look to the line's end from everywhere it was more than eight seconds.
    assert.ok(taken < 4000, `${part}: ${taken} ms`);
  }
});

/** What the shell's grammar says of a script is its own affair. */
const ofFly = (scopes: string[]): string[] => scopes.filter((scope) => !scope.endsWith(".shell"));

/** The file that holds what is expected; written when `UPDATE_EXPECT` is set. */
function isCurrent(file: string, text: string): void {
  const full = path.join(root, "test/snapshots", file);
  if (update) {
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
  assert.equal(
    existsSync(full) ? readFileSync(full, "utf8") : "",
    text,
    `${file} is not current: UPDATE_EXPECT=1 npm test`,
  );
}

test("what every example is seen as", () => {
  for (const example of examples) {
    const lines = example.lines.map(([text]) => text);
    const told = tokenize(lines).map((line, at) => {
      const text = lines[at] ?? "";
      const words = line
        .map((token) => [text.slice(token.from, token.to), ofFly(token.scopes).slice(-2).join(" ")] as const)
        .filter(([word]) => word.trim() !== "")
        .map(([word, scope]) => `[${scope.replaceAll(".fly", "") || "plain"}] ${word.trim()}`);
      return [`> ${text}`.trimEnd(), ...(words.length > 0 ? [`  ${words.join("  ")}`] : [])].join("\n");
    });
    isCurrent(`${example.name.replaceAll("/", "_")}.txt`, `${told.join("\n")}\n`);
  }
});

test("the words of every class", () => {
  const classes = new Map<string, Set<string>>();
  for (const example of examples) {
    const lines = example.lines.map(([text]) => text);
    tokenize(lines).forEach((line, at) => {
      for (const token of line) {
        const word = (lines[at] ?? "").slice(token.from, token.to).trim();
        const scope = ofFly(token.scopes).at(-1) ?? "(plain)";
        if (word !== "") {
          classes.set(scope, (classes.get(scope) ?? new Set()).add(word));
        }
      }
    });
  }
  const told = [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([scope, found]) => {
    const sorted = [...found].sort();
    const shown = sorted.slice(0, 40).map((word) => `    ${word}`);
    return [scope, ...shown, ...(sorted.length > 40 ? [`    … ${sorted.length} in all`] : [])].join("\n");
  });
  isCurrent("classes.txt", `${told.join("\n")}\n`);
});
