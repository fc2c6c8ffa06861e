/**
 * @file Tests the grammar by itself: that src/ is what grammar.js makes, the corpus, the highlights, and that every pattern
 * of every query finds something. That it agrees with flyc is tested by the workspace: `cargo test --test editors`.
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

/** The patterns of a query, which are what stands in it outside of any brackets, with the captures behind them. @param {string} query */
function patterns(query) {
  const tokens = query.match(/;.*|"(?:\\.|[^"\\])*"|[()[\]]|[^\s()[\]";]+/g) ?? [];
  const all = [];
  let depth = 0;
  for (const token of tokens.filter(token => !token.startsWith(';'))) {
    if (depth === 0 && !/^[@+*?]/.test(token)) {
      all.push([]);
    }
    depth += /^[([]$/.test(token) ? 1 : /^[)\]]$/.test(token) ? -1 : 0;
    all.at(-1).push(token);
  }
  return all.map(tokens => tokens.join(' '));
}

const examples = fs.readdirSync(path.join(root, 'test', 'queries')).map(name => path.join('test', 'queries', name));
for (const name of fs.readdirSync(path.join(root, 'queries'))) {
  test(`each pattern of queries/${name} finds what it is for`, () => {
    const found = run('query', path.join('queries', name), ...examples);
    const seen = new Set([...found.matchAll(/^ *pattern: (\d+)$/gm)].map(([, pattern]) => Number(pattern)));
    const all = patterns(fs.readFileSync(path.join(root, 'queries', name), 'utf8'));
    assert.ok(all.length > 0 && Math.max(...seen) < all.length, 'its patterns are not counted right');
    assert.deepStrictEqual(all.filter((_, at) => !seen.has(at)), [], 'nothing in test/queries/ is found by these');
    const captures = all.flatMap(pattern => [...pattern.replace(/\( #[^]*?\)/g, '').matchAll(/@([a-z_][\w.]*)/g)]);
    const wanted = new Set(captures.map(([, capture]) => capture).filter(capture => !capture.startsWith('_')));
    const captured = new Set([...found.matchAll(/capture: (?:\d+ - )?([\w.]+)/g)].map(([, capture]) => capture));
    assert.deepStrictEqual([...wanted].filter(capture => !captured.has(capture)), [], 'nothing is captured as these');
  });
}
