/** The script tag's entry; if the tag names a channel, it puts an element on the page. */
import type { Load } from "./parts.ts";
import { startWidget } from "./widget.ts";

/** In the names of the files below ours, for what is in them: the build knows. */
declare const HASH: string;

const script = document.currentScript as HTMLScriptElement | null;

if (!script?.src) console.warn("saleor-nudges: no src");
// A page may load us twice: the second time changes nothing.
else if (!self.saleorNudges) {
  const load: Load = (name) => import(new URL(`widget/${name}.${HASH}.js`, script.src).href);
  if (script.dataset.channel)
    // Beside the body, which may lay out its children, or be another by the next page.
    document.documentElement.append(document.createElement("saleor-nudges"));
  // Where the script came from is where its server answers: `https://shop/…/v1/widget.js`.
  startWidget(load, script.attributes, new URL("..", script.src).href);
}
