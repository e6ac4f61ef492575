// Bundles the tests of one folder (`unit` or `browser`) and gives them to node's own test runner:
// all of them, or those that are named: `node scripts/test.mjs browser consent reporting`.
import { spawn } from "node:child_process";
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

/** Runs one file's tests; shows what they said when they have ended, and returns the exit code. */
function run(name, concurrency) {
  const file = `${outdir}/${name.replace(/\.tsx?$/, ".mjs")}`;
  const flags = ["--enable-source-maps", "--test", "--test-reporter=spec"];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, file], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: here(""),
      env: { ...process.env, CHROMIUM: chromium, TESTS_AT_ONCE: String(concurrency) },
    });
    const said = [];
    child.stdout.on("data", (part) => said.push(part));
    child.stderr.on("data", (part) => said.push(part));
    child.on("close", (code) => {
      console.log(`\n== ${folder}/${name}\n${Buffer.concat(said)}`);
      resolve(code ?? 1);
    });
  });
}

/** Runs these files, so many at a time; returns those in which a test failed. */
async function red(names, files, tests) {
  const left = [...names];
  const failed = [];
  const lane = async () => {
    for (let name = left.shift(); name; name = left.shift()) {
      if (await run(name, tests)) failed.push(name);
    }
  };
  await Promise.all(Array.from({ length: files }, lane));
  return failed;
}

let failed = await red(files, 2, 1);
if (failed.length > 0 && folder !== "unit") {
  // A browser that had to wait for the processor is asked again, alone; what is broken is red again.
  console.log(`\nOnce more, alone: ${failed.join(", ")}`);
  failed = await red(failed, 1, 1);
}
console.log(
  failed.length > 0 ? `\n${folder}: red: ${failed.join(", ")}` : `\n${folder}: all green`,
);
await rm(outdir, { recursive: true, force: true });
process.exit(failed.length > 0 ? 1 : 0);
