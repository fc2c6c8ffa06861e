/**
 * @file Runs tree-sitter's program with what stands behind the name: `npm run tree-sitter -- parse nest.fly`.
 */

const { spawnSync } = require('node:child_process');
const { program } = require('./program.js');

process.exitCode = spawnSync(program(), process.argv.slice(2), { stdio: 'inherit' }).status ?? 1;
