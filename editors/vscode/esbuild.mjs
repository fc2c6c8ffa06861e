// Bundles the extension into dist/, and the tests into out/.
import { readdirSync } from "node:fs";
import { build, context } from "esbuild";

const production = process.argv.includes("--production");
const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  logLevel: "warning",
};
const extension = {
  ...common,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  format: "cjs",
  external: ["vscode"],
  minify: production,
  sourcemap: !production,
};
const tests = {
  ...common,
  entryPoints: readdirSync("test").filter((file) => file.endsWith(".ts")).map((file) => `test/${file}`),
  outdir: "out/test",
  outExtension: { ".js": ".mjs" },
  format: "esm",
  packages: "external",
  sourcemap: true,
};

if (process.argv.includes("--watch")) {
  await (await context(extension)).watch();
} else {
  await build(process.argv.includes("--tests") ? tests : extension);
}
