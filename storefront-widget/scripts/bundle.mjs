import { readFile } from "node:fs/promises";
import { build, transform } from "esbuild";

/** A style sheet becomes its minified text, for a constructable style sheet. */
const cssAsText = {
  name: "css-as-text",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const css = await readFile(path, "utf8");
      const { code } = await transform(css, { loader: "css", minify: true });
      // esbuild leaves the values of custom properties as they were written.
      const contents = code.replace(/(--[\w-]+:|,|\() +| +(?=\))/g, "$1").trim();
      return { contents, loader: "text" };
    });
  },
};

/** esbuild, as the widget and its tests are both built. */
export function bundle(options) {
  return build({ bundle: true, logLevel: "warning", plugins: [cssAsText], ...options });
}
