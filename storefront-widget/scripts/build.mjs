// Builds both forms of the widget, hands the script to the Python package and keeps it small.
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundle } from "./bundle.mjs";

/** A script on strangers' pages: what it may weigh, compressed. */
const LIMIT = 10 * 1024;

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { version } = JSON.parse(await readFile(here("package.json"), "utf8"));

const shared = {
  minify: true,
  // The first browsers with constructable style sheets everywhere: spring 2023.
  target: ["chrome99", "firefox101", "safari16.4"],
  banner: { js: `/*! saleor-nudges ${version} */` },
};
const forms = [
  { entry: "src/script.ts", outfile: here("dist/widget.js"), format: "iife" },
  { entry: "src/index.ts", outfile: here("dist/saleor-nudges.js"), format: "esm" },
];

for (const { entry, outfile, format } of forms) {
  await bundle({ ...shared, entryPoints: [here(entry)], outfile, format });
  const code = await readFile(outfile);
  const size = gzipSync(code, { level: 9 }).length;
  const name = outfile.slice(here("").length);
  console.log(`${name}: ${code.length} bytes, ${size} gzipped (at most ${LIMIT})`);
  if (size > LIMIT) {
    console.error(`${name} is too large.`);
    process.exitCode = 1;
  }
}

const served = here("../saleor_nudges/static/saleor_nudges");
await mkdir(served, { recursive: true });
await copyFile(here("dist/widget.js"), `${served}/widget.js`);
