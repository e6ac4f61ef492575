/** The code of the hosts' own pages, built as shops build theirs. */
import { build } from "esbuild";

/** The widget's module beside the application, as a shop that has a bundler takes it. */
const REACT = `import "./dist/saleor-nudges.js"; import "./test/hosts/react-shop.ts";`;

/** Files by the path they are served at: `/plain-shop.js`, `/stdin.js` for React, its chunks, and any others. */
export async function buildHosts(...more: string[]): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    splitting: true,
    outdir: "build/hosts-code",
    define: { "process.env.NODE_ENV": '"production"' },
    entryPoints: ["test/hosts/plain-shop.ts", ...more],
    stdin: { contents: REACT, resolveDir: "." },
    logLevel: "error",
  });
  return new Map(
    outputFiles.map(({ path, contents }) => [path.slice(path.lastIndexOf("/")), contents]),
  );
}
