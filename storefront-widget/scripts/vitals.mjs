// What the widget costs a page, as the browser itself counts: `node scripts/vitals.mjs [rounds]`.
// Prints one JSON object. Measures what lies in dist/: build first.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(chromium)) {
  console.error("no Chromium to measure in");
  process.exit(3);
}
if (!existsSync(here("dist/widget.js"))) {
  console.error("no widget to measure: run npm run build first");
  process.exit(3);
}

const outfile = here(`build/vitals/${process.pid}.mjs`);
await bundle({
  entryPoints: [here("test/vitals/measure.ts")],
  outfile,
  format: "esm",
  platform: "node",
  packages: "external",
  sourcemap: "inline",
});
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", outfile, ...process.argv.slice(2)],
  { stdio: "inherit", cwd: here(""), env: { ...process.env, CHROMIUM: chromium } },
);
await rm(outfile, { force: true });
process.exit(status ?? 1);
