import { ATTRIBUTES } from "./options.ts";

/** Puts `<saleor-nudges>` at the end of the page, with the script tag's `data-` options as its own. */
export function placeElement(script: HTMLScriptElement): void {
  if (!script.dataset.channel) return;
  const element = document.createElement("saleor-nudges");
  for (const name of ATTRIBUTES) {
    const value = script.getAttribute(`data-${name}`);
    if (value !== null) element.setAttribute(name, value);
  }
  const place = () => document.body.append(element);
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place, { once: true });
}
