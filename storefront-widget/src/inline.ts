import { element } from "./element.ts";
import { icon } from "./icon.ts";
import { styleSheet } from "./style-sheet.ts";
import type { Display, Nudge } from "./types.ts";
import { drawWords } from "./words.ts";

/** What stands in a place of the page. */
export interface Inline {
  /** The same nudge in other words. */
  update(nudge: Nudge): void;
  /** The place is empty again, and as large as it was. */
  remove(): void;
}

/** Draws one nudge in a place of the page; null where that kind of element can hold none. */
export function drawInline(
  place: HTMLElement,
  nudge: Nudge,
  display: Display,
  languageCode: string | undefined,
): Inline | null {
  const root = rootOf(place);
  if (!root) return null;
  const drawn = element("div", "inline", icon(nudge.icon));
  // Without a link: the place most likely lies in one.
  const { update, end } = drawWords(drawn, { ...nudge, href: null }, display, languageCode);
  root.replaceChildren(drawn);
  return {
    update,
    remove() {
      end();
      drawn.remove();
    },
  };
}

const roots = new WeakMap<HTMLElement, ShadowRoot | null>();

/** A root of our own beside the page's own children, which a framework that drew them may count. */
function rootOf(place: HTMLElement): ShadowRoot | null {
  try {
    if (!roots.has(place)) {
      // What cannot have one, or has the page's own, is left alone and complained of once.
      roots.set(place, null);
      const root = place.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [styleSheet()];
      roots.set(place, root);
    }
  } catch (error) {
    console.warn(error);
  }
  return roots.get(place) ?? null;
}
