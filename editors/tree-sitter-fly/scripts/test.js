/**
 * @file Tests the grammar by itself: that src/ is what grammar.js makes, the corpus, the highlights, and that every query
 * is one and finds something. That it agrees with flyc is tested by the workspace: `cargo test --test editors`.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const assert = require('node:assert');
const { program } = require('./program.js');

const root = path.dirname(__dirname);
const treeSitter = program();
const place = fs.mkdtempSync(path.join(os.tmpdir(), 'tree-sitter-fly-'));
process.on('exit', () => fs.rmSync(place, { recursive: true, force: true }));

/** Runs tree-sitter here, with a cache of its own: what other checkouts have built must not pass for this one's. */
function run(...args) {
  const env = { ...process.env, TREE_SITTER_LIBDIR: place, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(treeSitter, args, { cwd: root, encoding: 'utf8', env });
  assert.strictEqual(status, 0, `tree-sitter ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

test('src/ is what grammar.js makes', () => {
  const made = path.join(place, 'src');
  run('generate', '--output', made);
  for (const name of fs.readdirSync(made, { recursive: true })) {
    const file = path.join(made, name);
    if (fs.statSync(file).isFile()) {
      const kept = fs.readFileSync(path.join(root, 'src', name), 'utf8');
      assert.ok(kept === fs.readFileSync(file, 'utf8'), `src/${name} is not current: run npm run generate`);
    }
  }
});

test('the corpus and the highlights are as they should be', () => {
  run('test');
});

const example = path.join('test', 'queries', 'example.fly');
for (const name of fs.readdirSync(path.join(root, 'queries'))) {
  test(`queries/${name} finds what it is for`, () => {
    const found = run('query', '--captures', path.join('queries', name), example);
    const captures = text => new Set([...text.matchAll(/@([a-z_][\w.]*)/g)].map(([, capture]) => capture));
    const query = fs.readFileSync(path.join(root, 'queries', name), 'utf8').replace(/;.*$/gm, '').replace(/\(#[^]*?\)/g, '');
    const seen = new Set([...found.matchAll(/capture: (?:\d+ - )?([\w.]+)/g)].map(([, capture]) => capture));
    const wanted = [...captures(query)].filter(capture => !capture.startsWith('_'));
    assert.ok(wanted.length > 0, 'it captures nothing');
    assert.deepStrictEqual(wanted.filter(capture => !seen.has(capture)), [], `nothing in ${example} is captured as these`);
  });
}
