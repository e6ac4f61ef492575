/** The module's entry: safe to import anywhere; in a browser it defines `<saleor-nudges>`. */
import { defineElement } from "./define-element.ts";
import { makeReady, saleorNudges } from "./running.ts";

export { defineElement } from "./define-element.ts";
export type * from "./types.ts";
export { saleorNudges };

defineElement();
if (typeof window !== "undefined" && !window.saleorNudges) makeReady();
