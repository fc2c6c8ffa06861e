// package.json against the sources: what it promises is there, and the other way round.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

interface Manifest {
  files: string[];
  icon: string;
  main: string;
  contributes: {
    commands: { command: string; title: string }[];
    configuration: { properties: Record<string, { default?: unknown; scope?: string }> };
    menus: Record<string, { command: string }[]>;
    walkthroughs: { steps: { id: string; description: string; media: { markdown: string }; completionEvents: string[] }[] }[];
    problemMatchers: { pattern: { regexp: string } }[];
    languages: { configuration: string }[];
  };
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const { contributes } = manifest;
const sources = readdirSync("src").map((file) => readFileSync(`src/${file}`, "utf8")).join("\n");
const commands = contributes.commands.map(({ command }) => command);
test("every command is made, and every one that is made is offered", () => {
  const made = [...sources.matchAll(/^ {4}"(fly\.\w+)": /gm)].map(([, name]) => name ?? "");
  assert.deepEqual(made.sort(), [...commands].sort());
  const shown = Object.values(contributes.menus).flat();
  assert.deepEqual(shown.filter(({ command }) => !commands.includes(command)), []);
});

test("the client leaves the server's own commands to the server", () => {
  const own = [...sources.matchAll(/export const \w+ = "(fly\.\w+)";/g)].map(([, name]) => name ?? "");
  assert.deepEqual(own, ["fly.explain", "fly.generated", "fly.simulate", "fly.references"]);
  assert.deepEqual(own.filter((name) => commands.includes(name)), []);
});

test("every setting is read, and every one that is read is there", () => {
  const read = [...sources.matchAll(/get\("([\w.]+)", /g)].map(([, name]) => `fly.${name ?? ""}`);
  // The library reads the trace, the server these.
  const elsewhere = [
    "fly.trace.server",
    "fly.inlayHints.units",
    "fly.inlayHints.runs",
    "fly.inlayHints.inherited",
    "fly.diagnostics.workspace",
    "fly.logLevel",
  ];
  assert.deepEqual(
    [...new Set([...read, ...elsewhere])].sort(),
    Object.keys(contributes.configuration.properties).sort(),
  );
});

test("a folder that is not trusted does not say which program is started", () => {
  const starting = Object.keys(contributes.configuration.properties).filter((name) => name.startsWith("fly.server."));
  assert.deepEqual([...manifest.capabilities.untrustedWorkspaces.restrictedConfigurations].sort(), starting.sort());
  for (const name of starting) {
    assert.equal(contributes.configuration.properties[name]?.scope, "machine-overridable", name);
  }
});

test("the page of the extension tells of every command and setting", () => {
  const page = readFileSync("README.md", "utf8");
  for (const { title } of contributes.commands) {
    assert.ok(page.includes(`| Fly: ${title} |`), title);
  }
  for (const [name, { default: value }] of Object.entries(contributes.configuration.properties)) {
    const told = value === "" ? "empty" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
    assert.ok(page.includes(`| \`${name}\` | ${told} |`), `${name} ${told}`);
  }
});

test("the walkthrough's pages and commands are there", () => {
  for (const { description, media } of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
    assert.ok(readFileSync(media.markdown, "utf8").length > 100, media.markdown);
    for (const [, command] of description.matchAll(/\(command:([\w.]+)/g)) {
      assert.ok(!command?.startsWith("fly.") || commands.includes(command), command);
    }
  }
  // A step is done by what it tells of, and by nothing that happens all the time.
  for (const { completionEvents } of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
    assert.deepEqual(completionEvents.filter((event) => /triggerSuggest|newUntitledFile/.test(event)), []);
  }
  const named = contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.markdown));
  assert.deepEqual(readdirSync("walkthrough").map((file) => `walkthrough/${file}`).sort(), named.sort());
});

test("what the package names is there", () => {
  for (const file of [manifest.icon, ...manifest.files.filter((file) => !/[*]|^dist/.test(file))]) {
    assert.ok(existsSync(file), file);
  }
});

test("what flyc prints in one line is understood", () => {
  const [matcher] = contributes.problemMatchers;
  const line = "Eggs/my-app/config.fly:11:15: error[type-mismatch] `memory` wants a size, found a string";
  const [, ...parts] = new RegExp(matcher?.pattern.regexp ?? "").exec(line) ?? [];
  assert.deepEqual(parts, [
    "Eggs/my-app/config.fly",
    "11",
    "15",
    "error",
    "type-mismatch",
    "`memory` wants a size, found a string",
  ]);
});

interface Configuration {
  wordPattern: string;
  indentationRules: { increaseIndentPattern: string; decreaseIndentPattern: string };
  onEnterRules: { beforeText: string; action: { appendText?: string } }[];
  folding: { markers: { start: string; end: string } };
}

const language = JSON.parse(
  readFileSync(contributes.languages[0]?.configuration ?? "", "utf8"),
) as Configuration;

test("a word is a name with its dashes, or a number with its unit", () => {
  const words = (text: string): string[] => text.match(new RegExp(language.wordPattern, "g")) ?? [];
  assert.deepEqual(words('egg "my-app" memory = 4GiB 80% 1.5'), ["egg", "my-app", "memory", "4GiB", "80%", "1.5"]);
});

test("lines that open something indent the next one", () => {
  const increase = new RegExp(language.indentationRules.increaseIndentPattern);
  const decrease = new RegExp(language.indentationRules.decreaseIndentPattern);
  const opens = ['egg "x" {', "tags = [", "x = min(", "a = { # why", '  b = "{" + join(', "x = { // why {", "a = 1 / min(", "a = { /* b */"];
  const opensNot = ["a = 1 // foo {", 'x = "http://a" // see [', "a = 1 /* { */", "a = 1 # (", "/* {", 'a = "{"', "# {", "// [", "}", "tags = []", 'script = "if [ -f"', 'a = "\\"{"'];
  assert.deepEqual(opens.filter((line) => !increase.test(line)), []);
  assert.deepEqual(opensNot.filter((line) => increase.test(line)), []);
  assert.deepEqual(["  }", "]", ")", "  ], x"].filter((line) => !decrease.test(line)), []);
});

test("a line that could mean much is decided fast", () => {
  const increase = new RegExp(language.indentationRules.increaseIndentPattern);
  for (const part of ["/* */", "/*", '"a"', '"', "{", "/", "\\"]) {
    const start = performance.now();
    increase.test(`${part.repeat(5000)}x`);
    assert.ok(performance.now() - start < 2000, part);
  }
});

test("comments go on in the next line where they should", () => {
  const after = (line: string): string | undefined =>
    language.onEnterRules.find(({ beforeText }) => new RegExp(beforeText).test(line))?.action.appendText;
  assert.equal(after("  /// documentation"), "/// ");
  assert.equal(after("//// a rule"), undefined);
  assert.equal(after("# a comment"), undefined);
  assert.equal(after("/* a block"), "   ");
  assert.equal(after("/* closed */"), undefined);
  assert.match("# region eggs", new RegExp(language.folding.markers.start));
  assert.match("# endregion", new RegExp(language.folding.markers.end));
});
