// Bundles the tests of one folder (`unit` or `browser`) and gives them to node's own test runner:
// all of them, or those that are named: `node scripts/test.mjs browser consent reporting`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
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
const built = (name) => `${outdir}/${name.replace(/\.tsx?$/, ".mjs")}`;
const report = `${outdir}/report.tap`;

/** Runs these files; returns the exit code. */
function run(names, concurrency) {
  const shown = ["--test-reporter=spec", "--test-reporter-destination=stdout"];
  const kept = ["--test-reporter=tap", `--test-reporter-destination=${report}`];
  const flags = ["--enable-source-maps", "--test", `--test-concurrency=${concurrency}`];
  const { status } = spawnSync(
    process.execPath,
    [...flags, ...shown, ...kept, ...names.map(built)],
    {
      stdio: "inherit",
      cwd: here(""),
      env: { ...process.env, CHROMIUM: chromium },
    },
  );
  return status ?? 1;
}

/** The files with a test that failed. */
async function failed() {
  const lines = (await readFile(report, "utf8")).split("\n");
  const places = lines.filter((line, i) => /^ *location: /.test(line) && wasRed(lines, i));
  return files.filter((name) => places.some((place) => place.includes(name.split(".test.")[0])));
}

/** Whether the test whose place stands in this line is one that failed. */
const wasRed = (lines, at) =>
  /not ok/.test(lines.slice(0, at).findLast((line) => /ok \d/.test(line)));

let status = run(files, 2);
if (status && folder !== "unit") {
  // A browser that had to wait for the processor is asked again, alone; what is broken is red again.
  const again = await failed();
  console.log(`\nOnce more, one at a time: ${again.join(", ") || "all"}`);
  status = run(again.length > 0 ? again : files, 1);
}
await rm(outdir, { recursive: true, force: true });
process.exit(status);
