// Builds both forms of the widget and hands the script's three files to the Python package.
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { minify } from "terser";
import { bundle } from "./bundle.mjs";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { version } = JSON.parse(await readFile(here("package.json"), "utf8"));

const banner = `/*! saleor-nudges ${version} */`;
// The first browsers with constructable style sheets and `:modal` everywhere: spring 2023.
const target = ["chrome105", "firefox103", "safari16.4"];

/** Names of the seam between the script's files, which no page and no server ever sees. */
const OURS =
  /^(accept|announcer|asks|audience|cancel|clicked|draft|drawn|element|end|followed|isOff|isOpen|lapse|link|mayShow|memory|opener|options|over|panel|report|request|seen|showing|since|sweep|tell|tick|toast|turnOff|update|visit|wording|words)$/;
const nameCache = {};

/** One of the script's files, as small as two minifiers make it. */
async function packed(entry, format, define = {}) {
  const entryPoints = [here(entry)];
  const inMemory = { write: false, tsconfigRaw: {} };
  const built = await bundle({ entryPoints, format, define, target, minify: true, ...inMemory });
  const { code } = await minify(built.outputFiles[0].text, {
    ecma: 2022,
    module: format === "esm",
    mangle: { properties: { regex: OURS, builtins: true } },
    nameCache,
    compress: {
      passes: 3,
      pure_getters: true,
      sequences: false,
      conditionals: false,
      if_return: false,
    },
    format: { comments: false },
  });
  return code;
}

// First, as it has the least room: what comes first gets the shortest names.
const loader = await packed("src/script.ts", "iife", { HASH: '"HASH"' });
const parts = {
  view: await packed("src/view.ts", "esm"),
  watch: await packed("src/watch.ts", "esm"),
};
// What may be kept for ever has a name that changes with what is in it.
const hash = createHash("sha256").update(Object.values(parts).join()).digest("hex").slice(0, 6);

await rm(here("dist"), { recursive: true, force: true });
await mkdir(here("dist/widget"), { recursive: true });
await writeFile(here("dist/widget.js"), loader.replace("HASH", hash));
for (const [name, code] of Object.entries(parts)) {
  await writeFile(here(`dist/widget/${name}.${hash}.js`), code);
}

// For a shop's own bundler, which takes the rest by the same relative imports.
await bundle({
  entryPoints: { "saleor-nudges": here("src/index.ts") },
  outdir: here("dist"),
  chunkNames: "[name]-[hash]",
  format: "esm",
  splitting: true,
  minify: true,
  banner: { js: banner },
  target,
});

const served = here("../saleor_nudges/static/saleor_nudges");
await rm(`${served}/widget`, { recursive: true, force: true });
await cp(here("dist/widget"), `${served}/widget`, { recursive: true });
await cp(here("dist/widget.js"), `${served}/widget.js`);
