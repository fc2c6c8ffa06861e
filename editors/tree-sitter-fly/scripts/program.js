/**
 * @file Finds tree-sitter's program in the version of package.json. It is taken from `PATH`, else from a cache that all of
 * the user's checkouts share, into which cargo installs it: the npm package of the same name brings no program but fetches
 * one from elsewhere when it is installed.
 *
 * Run by itself it prints the program's path.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const version = require('../package.json').config['tree-sitter'];

/** Whether a program is there and of the version asked for. */
function fits(program) {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 && stdout.split(/\s+/).includes(version);
}

/** The program's path. */
function program() {
  if (fits('tree-sitter')) {
    return 'tree-sitter';
  }
  const base = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  const root = path.join(base, 'polar-gosling', 'tools', `tree-sitter-${version}`);
  const installed = path.join(root, 'bin', process.platform === 'win32' ? 'tree-sitter.exe' : 'tree-sitter');
  if (fits(installed)) {
    return installed;
  }
  const target = path.join(root, 'target');
  const { error, status, stderr } = spawnSync(
    'cargo',
    [
      ['install', 'tree-sitter-cli', '--version', version, '--locked'],
      // A minute in place of eight. Without its own JavaScript engine it takes Node.js to read grammar.js.
      ['--debug', '--no-default-features'],
      ['--root', root, '--target-dir', target],
    ].flat(),
    { encoding: 'utf8' },
  );
  fs.rmSync(target, { recursive: true, force: true });
  if (error || status !== 0) {
    throw new Error(
      `tree-sitter ${version} is not on PATH, and cargo could not install it: ${error?.message ?? stderr.trim()}`,
    );
  }
  return installed;
}

module.exports = { program };

if (require.main === module) {
  try {
    console.log(program());
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
