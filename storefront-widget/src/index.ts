/** The module's entry: safe to import anywhere; in a browser it minds the page's `<saleor-nudges>`. */
import type { Load, Parts } from "./parts.ts";
import type { SaleorNudges } from "./types.ts";
import { startWidget } from "./widget.ts";

export type * from "./types.ts";

const PARTS: { [Name in keyof Parts]: () => Promise<Parts[Name]> } = {
  view: () => import("./view.ts"),
  watch: () => import("./watch.ts"),
};
const load: Load = (name) => PARTS[name]();

const inBrowser = typeof window !== "undefined";
if (inBrowser && !window.saleorNudges) startWidget(load, []);

/** `window.saleorNudges`; where pages are rendered on a server it does nothing. */
export const saleorNudges: SaleorNudges = (inBrowser && window.saleorNudges) || {
  track() {},
  stop() {},
  resume() {},
};
