// Bundles the tests of one folder (`unit` or `browser`) and gives them to node's own test runner:
// all of them, or those that are named: `node scripts/test.mjs browser consent reporting`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const [folder = "unit", ...named] = process.argv.slice(2);
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";

if (folder !== "unit" && !existsSync(chromium)) {
  console.log(`${folder} tests not run: no Chromium`);
  process.exit(0);
}
if (folder === "hosts") {
  console.log("not run: Firefox ESR, Safari 16.4 (WebKit). Run: the system's Chromium.");
}

const all = (await readdir(here(`test/${folder}`))).filter((name) => /\.test\.tsx?$/.test(name));
const wanted = (file) => named.some((name) => file.startsWith(`${name}.test.`));
const files = named.length > 0 ? all.filter(wanted) : all;
if (files.length < Math.max(1, named.length)) {
  console.error(`test/${folder} has ${all.join(", ")}; not all of: ${named.join(", ")}`);
  process.exit(1);
}
// Of this run alone: another may be on its way.
const outdir = here(`build/${folder}/${process.pid}`);
await bundle({
  entryPoints: files.map((name) => here(`test/${folder}/${name}`)),
  outdir,
  outExtension: { ".js": ".mjs" },
  format: "esm",
  platform: "node",
  packages: "external",
  sourcemap: "inline",
});
const tests = files.map((name) => `${outdir}/${name.replace(/\.tsx?$/, ".mjs")}`);
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-reporter=spec", "--test-concurrency=2", ...tests],
  {
    stdio: "inherit",
    cwd: here(""),
    env: { ...process.env, CHROMIUM: chromium },
  },
);
await rm(outdir, { recursive: true, force: true });
process.exit(status ?? 1);
