// Packages the extension as fly.vsix. A warning of the packager is a failure.
import { spawnSync } from "node:child_process";

const { status, stdout, stderr } = spawnSync(
  process.execPath,
  ["node_modules/@vscode/vsce/vsce", "package", "--no-dependencies", "--out", "fly.vsix"],
  { encoding: "utf8" },
);
process.stdout.write(stdout);
process.stderr.write(stderr);
if (status !== 0 || /warning/i.test(stdout + stderr)) {
  console.error("package: vsce failed or warned");
  process.exit(1);
}
