// The programs that the test in a real editor runs: Chromium, code-server (VS Code that runs in a browser), fly-lsp.
// A program is taken from where it is; code-server comes through npm, when asked for, into a cache that all of the user's
// checkouts share.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

const CODE_SERVER = "4.139.1";
/** What that code-server runs on; the machine's own Node may be another. */
const NODE = "24";

const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "polar-gosling", "tools");

function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Chromium, or nothing. */
export const chromium = () => onPath("chromium", "chromium-browser", "google-chrome");

/** What starts code-server: a program and its first argument; or nothing. */
export function codeServer(install) {
  const folder = path.join(cache, `code-server-${CODE_SERVER}`);
  const command = [
    path.join(folder, "node_modules/node/bin/node"),
    path.join(folder, "node_modules/code-server/out/node/entry.js"),
  ];
  if (command.every((file) => existsSync(file))) {
    return command;
  }
  if (!install) {
    return undefined;
  }
  // Made aside, so that what stands in its place is whole.
  const made = `${folder}.${process.pid}`;
  mkdirSync(made, { recursive: true });
  writeFileSync(path.join(made, "package.json"), '{ "private": true }\n');
  const npm = (packages, node) =>
    spawnSync("npm", ["install", "--no-audit", "--no-fund", "--foreground-scripts", ...packages], {
      cwd: made,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, PATH: `${node ?? ""}${path.delimiter}${process.env.PATH}` },
    }).status === 0;
  if (!npm([`node@${NODE}`]) || !npm([`code-server@${CODE_SERVER}`], path.join(made, "node_modules/node/bin"))) {
    rmSync(made, { recursive: true, force: true });
    return undefined;
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
  return command;
}

/** The language server: `FLY_LSP`, else of this checkout, as cargo builds it; or nothing. */
export function server() {
  if (process.env.FLY_LSP) {
    return process.env.FLY_LSP;
  }
  const { status, stdout } = spawnSync(
    "cargo",
    ["build", "--quiet", "--package", "fly-lsp", "--bin", "fly-lsp", "--message-format", "json"],
    { cwd: "../..", encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 },
  );
  const built = (status === 0 ? stdout : "")
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .find(({ executable, target }) => executable && target.name === "fly-lsp");
  return built?.executable ?? onPath("fly-lsp");
}
