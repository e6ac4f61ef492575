import { element } from "./element.ts";
import { icon } from "./icon.ts";
import type { Display, Nudge, Options } from "./types.ts";
import { drawWords, type Words } from "./words.ts";

export interface Toast extends Words {
  toast: HTMLElement;
  close: HTMLButtonElement;
}

/** Draws one nudge. Only text nodes and properties: nothing a shop's content policy would refuse. */
export function drawToast(
  nudge: Nudge,
  display: Display,
  { closeLabel, languageCode }: Options,
): Toast {
  const toast = element("div", "toast");
  toast.setAttribute("role", "group");
  toast.setAttribute("aria-label", nudge.title || nudge.text);
  toast.dataset.desktop = display.position.desktop;
  toast.dataset.mobile = display.position.mobile;
  toast.dataset.theme = isDark(display.theme) ? "DARK" : "LIGHT";
  toast.append(picture(nudge));
  const words = drawWords(toast, nudge, display, languageCode);

  const close = element("button", "close");
  close.type = "button";
  close.setAttribute("aria-label", closeLabel);
  close.append(icon("CLOSE"));
  toast.append(close);
  return { ...words, toast, close };
}

/** The product's picture, or the drawing of the nudge's kind where there is none or it fails. */
function picture(nudge: Nudge): HTMLElement {
  const drawn = element("div", "icon");
  drawn.append(icon(nudge.type, nudge.category));
  if (!nudge.image) return drawn;
  const image = element("img", "image");
  image.alt = "";
  image.decoding = "async";
  image.addEventListener("error", () => image.replaceWith(drawn), { once: true });
  image.src = nudge.image;
  return image;
}

function isDark(theme: Display["theme"]): boolean {
  return theme === "AUTO" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "DARK";
}
