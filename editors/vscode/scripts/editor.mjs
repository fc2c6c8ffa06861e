// The extension in a real VS Code: code-server in a headless Chromium opens a Nest with a mistake in it, and a user's
// steps are done with the keyboard. `--install` fetches code-server when it isn't there, and so does CI=true;
// `--screenshot` renews the pictures in the book.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium as browsers } from "playwright-core";

import * as tools from "./tools.mjs";

const flags = new Set(process.argv.slice(2));

const ci = process.env.CI === "true";

/** Leaves what can't be tried here: a failure where everything has to be there. */
function skip(reason) {
  console.log(`${ci ? "FAILED" : "SKIPPED"} test:editor: ${reason}`);
  process.exit(ci ? 1 : 0);
}

const chromium = tools.chromium() ?? skip("there is no chromium on the PATH");
const codeServer =
  tools.codeServer(ci || flags.has("--install")) ??
  skip("code-server isn't in the cache: npm run test:editor -- --install fetches it, in some minutes");
const fly = tools.server() ?? skip("fly-lsp can't be built, and isn't on the PATH");
const vsix = path.resolve("fly.vsix");
if (!existsSync(vsix)) {
  assert.equal(spawnSync("npm", ["run", "package"], { stdio: "inherit" }).status, 0, "the extension can't be packaged");
}

const folder = mkdtempSync(path.join(tmpdir(), "fly-editor-"));
const within = (...names) => path.join(folder, ...names);
const FILE = "Eggs/web/config.fly";
const RIGHT = "memory = 8GiB";
const WRONG = 'memory = "8 gigs"';

function prepare() {
  cpSync("../../tests/nests/example", within("nest"), { recursive: true });
  const text = readFileSync(within("nest", FILE), "utf8");
  assert.ok(text.includes(RIGHT));
  writeFileSync(within("nest", FILE), text.replace(RIGHT, WRONG));
  const settings = {
    "fly.server.path": fly,
    "security.workspace.trust.enabled": false,
    "workbench.startupEditor": "none",
    "workbench.colorTheme": "Default Light Modern",
    "workbench.tips.enabled": false,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": true,
    "files.simpleDialog.enable": true,
    "editor.minimap.enabled": false,
    "editor.stickyScroll.enabled": false,
    "extensions.ignoreRecommendations": true,
    "telemetry.telemetryLevel": "off",
    "window.commandCenter": false,
    "workbench.reduceMotion": "on",
  };
  // Which program is started is a setting of the machine, which here is code-server's.
  for (const scope of ["User", "Machine"]) {
    mkdirSync(within("data", scope), { recursive: true });
    writeFileSync(within("data", scope, "settings.json"), JSON.stringify(settings));
  }
  writeFileSync(within("config.yaml"), "auth: none\n");
}

const [program, ...first] = codeServer;
const common = ["--config", within("config.yaml"), "--user-data-dir", within("data"), "--extensions-dir", within("extensions")];

/** Starts code-server on a free port; gives its address. */
function serve() {
  const child = spawn(
    program,
    [...first, ...common, "--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const address = new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (data) => {
      said += data;
      const found = /HTTP server listening on (http:\S+)/.exec(said)?.[1];
      if (found !== undefined) {
        resolve(found);
      }
    });
    child.on("exit", () => reject(new Error(`code-server ended:\n${said}`)));
  });
  return { child, address };
}

async function steps(page, address) {
  const done = (what) => console.log(`ok ${what}`);
  const palette = async (command) => {
    await page.keyboard.press("F1");
    await page.locator(".quick-input-widget input").first().fill(`>${command}`);
    await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: command }).first().waitFor();
    await page.keyboard.press("Enter");
  };
  const open = async (file) => {
    await page.keyboard.press("Control+P");
    await page.locator(".quick-input-widget input").first().fill(file);
    const at = file.lastIndexOf("/");
    const name = file.slice(at + 1);
    const row = new RegExp(`^\\s*${name}.*${file.slice(0, at)}`, "s");
    await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: row }).first().click();
    await page.locator(".tab.active").filter({ hasText: name }).first().waitFor();
  };
  const editor = page.locator(".editor-instance .monaco-editor").first();
  /** A page beside the editor takes the keyboard, so the egg is clicked on. */
  const focus = async () => {
    const { x, y, width } = await editor.boundingBox();
    await page.mouse.click(x + width / 2, y + 10);
  };
  /** Keys that come before the editor has the keyboard back are lost: the status bar says that it has. */
  const goTo = async (line, column) => {
    await focus();
    await page.keyboard.press("Control+G");
    await page.locator(".quick-input-widget input").first().fill(`:${line}:${column}`);
    await page.keyboard.press("Enter");
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
    await page.locator(".statusbar").filter({ hasText: new RegExp(`Ln ${line}, Col \\d+`) }).first().waitFor();
    await page.locator(".editor-instance .monaco-editor.focused").first().waitFor();
  };
  /** The menu is asked for once when the key is pressed, and shows what there was at that moment: it is opened until it has the row. */
  const lightBulb = async (title) => {
    const row = page.locator(".action-widget .monaco-list-row").filter({ hasText: title }).first();
    for (let left = 10; ; left -= 1) {
      await page.keyboard.press("Control+.");
      try {
        await row.waitFor({ timeout: 6_000 });
        return await row.click();
      } catch (error) {
        if (left === 0) {
          throw error;
        }
      }
      await page.keyboard.press("Escape");
    }
  };

  await page.goto(`${address}?folder=${encodeURIComponent(within("nest"))}`);
  await page.locator(".monaco-workbench .explorer-folders-view").waitFor();
  await open(FILE);
  await editor.locator(".squiggly-error").first().waitFor();
  done("the mistake is underlined");
  assert.match(await page.locator(".statusbar").innerText(), /Fly/);
  done("the file's language is Fly");

  await palette("Problems: Focus on Problems View");
  const problem = page.locator(".markers-panel .monaco-list-row").filter({ hasText: "wants a size, found a string" });
  await problem.first().waitFor();
  assert.match(await problem.first().innerText(), /type-mismatch/);
  done("Problems tells of it, with its id");
  await page.locator(".markers-panel .monaco-list-row").filter({ hasText: "config.fly" }).first().waitFor();
  if (flags.has("--screenshot")) {
    await editor.locator(".view-line").filter({ hasText: "concat" }).first().waitFor();
    mkdirSync("../../docs/src/images", { recursive: true });
    await page.screenshot({ path: "../../docs/src/images/vscode.png" });
  }

  const mistake = readFileSync(within("nest", FILE), "utf8").split("\n").findIndex((line) => line.includes(WRONG)) + 1;
  await goTo(mistake, 15);
  await lightBulb("Explain type-mismatch");
  const preview = page.frameLocator("iframe.webview.ready").frameLocator("iframe");
  await preview.locator("h1").filter({ hasText: "type-mismatch" }).first().waitFor();
  done("the light bulb explains it as a page");

  await focus();
  await palette("Fly: Restart the Language Server");
  // It may be back before anybody saw it gone; that the new server works is seen when the mistake is mended.
  await editor.locator(".squiggly-error").first().waitFor();
  done("a restarted server finds the mistake again");

  // Mended by hand, with a completion on the way.
  await goTo(mistake, 1);
  await page.keyboard.press("End");
  await page.keyboard.press("Shift+Home");
  await page.keyboard.type("memory = 8GiB");
  await editor.locator(".squiggly-error").first().waitFor({ state: "detached" });
  done("mended, it is underlined no more");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Space");
  await page.locator(".suggest-widget .monaco-list-row").first().waitFor();
  done("completion offers attributes");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Z");

  // Nothing is built while there are mistakes.
  await focus();
  await palette("Fly: Show Generated OpenTofu");
  const file = page.locator(".quick-input-list .monaco-list-row").filter({ hasText: /^(resources|main)\.tf/ }).first();
  await file.waitFor();
  const name = (await file.locator(".label-name").first().innerText()).trim();
  await file.click();
  await page.locator(".tab").filter({ hasText: name }).first().waitFor();
  done("generated OpenTofu opens beside the egg");

  await focus();
  await palette("Fly: Simulate a GitLab Webhook");
  await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: "own project" }).first().click();
  await page.locator(".tab").filter({ hasText: /Preview.*web/ }).first().waitFor();
  done("a webhook is simulated");

  if (flags.has("--screenshot")) {
    await focus();
    await palette("View: Close All Editor Groups");
    await open("UF/config.fly");
    await editor.locator(".view-line").filter({ hasText: "uglyfox" }).first().waitFor();
    await goTo(40, 1);
    await palette("View: Split Editor Right");
    await open("Jobs/rotate-secrets.fly");
    await palette("View: Toggle Primary Side Bar Visibility");
    await palette("View: Hide Panel");
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
    await page.screenshot({ path: "../../docs/src/images/vscode-colours.png" });
  }

  await focus();
  await palette("Welcome: Open Walkthrough...");
  await page.locator(".quick-input-widget input").first().fill("Get Started with Fly");
  await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: "Get Started with Fly" }).first().click();
  await page.locator(".getting-started-step").filter({ hasText: "Write an egg" }).first().waitFor();
  done("the walkthrough has its steps");

  await palette("Fly: New Egg");
  await page.locator(".quick-input-widget input").first().fill("hatchling");
  await page.keyboard.press("Enter");
  await editor.locator(".view-line").filter({ hasText: 'egg "hatchling" {' }).first().waitFor();
  assert.ok(existsSync(within("nest/Eggs/hatchling/config.fly")));
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+S");
  await page.locator(".tab.dirty").first().waitFor({ state: "detached" });
  done("a new egg has its file");

  const before = readFileSync(within("data/Machine/settings.json"), "utf8");
  const start = (program) => {
    const other = { ...JSON.parse(before), "fly.server.path": program };
    writeFileSync(within("data/Machine/settings.json"), JSON.stringify(other));
  };
  const toast = page.locator(".notifications-toasts .notification-list-item");
  start("/nowhere/fly-lsp");
  await toast.filter({ hasText: "names /nowhere/fly-lsp" }).getByText("Open Settings").first().waitFor();
  done("a server that isn't there is told of, with what to do");

  await palette("Notifications: Clear All Notifications");
  writeFileSync(within("ends"), "#!/bin/sh\necho 'no such flag' >&2\nexit 3\n", { mode: 0o755 });
  start(within("ends"));
  await toast.filter({ hasText: "ended with code 3 before it answered. It said: no such flag" }).first().waitFor();
  assert.equal(await toast.count(), 1, (await toast.allInnerTexts()).join("\n"));
  done("a server that ends at once is told of once, with what it said");

  await palette("Notifications: Clear All Notifications");
  writeFileSync(within("silent"), `#!/bin/sh\ntouch ${within("asked")}\nexec sleep 1000\n`, { mode: 0o755 });
  start(within("silent"));
  while (!existsSync(within("asked"))) {
    await page.waitForTimeout(50);
  }
  await open(FILE);
  await focus();
  await goTo(mistake, 1);
  await page.keyboard.press("End");
  await page.keyboard.press("Shift+Home");
  await page.keyboard.type(WRONG);
  const changed = Date.now();
  writeFileSync(within("data/Machine/settings.json"), before);
  await editor.locator(".squiggly-error").first().waitFor();
  assert.ok(Date.now() - changed < 15_000, "the server that doesn't answer was waited for");
  assert.equal(await toast.count(), 0, (await toast.allInnerTexts()).join("\n"));
  done("a server that never answers is left for another at once");
}

prepare();
let server;
let browser;
let failed = true;
try {
  const installed = spawnSync(program, [...first, ...common, "--install-extension", vsix], { encoding: "utf8" });
  assert.equal(installed.status, 0, installed.stderr + installed.stdout);
  server = serve();
  const address = await server.address;
  browser = await browsers.launch({
    executablePath: chromium,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  page.setDefaultTimeout(60_000);
  try {
    await steps(page, address);
    failed = false;
  } catch (error) {
    mkdirSync("out", { recursive: true });
    await page.screenshot({ path: "out/failed.png" });
    console.error(error);
    console.error("out/failed.png shows the editor as it was");
  }
} finally {
  await browser?.close();
  if (server !== undefined) {
    const ended = new Promise((resolve) => server.child.once("exit", resolve));
    server.child.kill();
    await ended.catch(() => undefined);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(failed ? 1 : 0);
