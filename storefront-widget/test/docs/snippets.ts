/** The code of docs/storefront.md, by the name in its first line: what is run is what is printed. */
import { readFileSync } from "node:fs";

const NUDGES = "https://api.shop.example";
const SHOP = "https://shop.example";
const BLOCK = /^```(\w*)\n(.*\n)([\s\S]*?)^```$/gm;
/** `// name`, `# name`, `<!-- name -->` or, in a style sheet, its own. */
const NAME = /^(?:\/\/|\/\*|#|<!--) ([^\n]+?)(?: \*\/| -->)?\n$/;

export interface Snippet {
  language: string;
  code: string;
}

function readSnippets(): Map<string, Snippet> {
  const found = new Map<string, Snippet>();
  for (const [, language = "", first = "", rest = ""] of page().matchAll(BLOCK)) {
    const name = NAME.exec(first)?.[1] ?? language;
    if (found.has(name)) throw new Error(`two snippets are called ${name}`);
    found.set(name, { language, code: first + rest });
  }
  return found;
}

const page = () => readFileSync("../docs/storefront.md", "utf8");

export const snippets = readSnippets();

/** A snippet's text, with the addresses of a test in place of the example's. */
export function snippet(name: string, nudges = NUDGES, shop = SHOP): string {
  const { code } = snippets.get(name) ?? {};
  if (code === undefined) throw new Error(`docs/storefront.md has no snippet ${name}`);
  return code.replaceAll(NUDGES, nudges).replaceAll(SHOP, shop);
}
