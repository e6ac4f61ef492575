// Bundles the tests of one folder (`unit` or `browser`) and gives them to node's own test runner.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const folder = process.argv[2] ?? "unit";
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";

if (folder === "browser" && !existsSync(chromium)) {
  console.log("browser tests not run: no Chromium");
  process.exit(0);
}

const files = (await readdir(here(`test/${folder}`))).filter((name) => name.endsWith(".test.ts"));
const outdir = here(`build/${folder}`);
await rm(outdir, { recursive: true, force: true });
await bundle({
  entryPoints: files.map((name) => here(`test/${folder}/${name}`)),
  outdir,
  outExtension: { ".js": ".mjs" },
  format: "esm",
  platform: "node",
  packages: "external",
  sourcemap: "inline",
});
const tests = files.map((name) => `${outdir}/${name.replace(/\.ts$/, ".mjs")}`);
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-reporter=spec", "--test-concurrency=2", ...tests],
  {
    stdio: "inherit",
    cwd: here(""),
    env: { ...process.env, CHROMIUM: chromium },
  },
);
process.exit(status ?? 1);
