import { icon } from "./icon.ts";
import type { Display, Nudge } from "./types.ts";

/** Draws one nudge. Only text nodes and properties: nothing a shop's content policy would refuse. */
export function drawToast(nudge: Nudge, display: Display, closeLabel: string): Toast {
  const toast = element("div", "toast");
  toast.setAttribute("role", "group");
  toast.setAttribute("aria-label", nudge.title || nudge.text);
  toast.dataset.desktop = display.position.desktop;
  toast.dataset.mobile = display.position.mobile;
  toast.dataset.theme = isDark(display.theme) ? "DARK" : "LIGHT";
  if (display.highlight) toast.style.setProperty("--seller-highlight", display.highlight);

  const words = element("div", "words");
  const lines = [nudge.title && line("title", nudge.title), nudge.text && line("text", nudge.text)];
  words.append(...lines.filter((drawn) => drawn instanceof Node));
  const link = nudge.href ? linkOf(words, nudge.href) : null;
  const time = element("time", "time");
  if (nudge.occurredAt) {
    time.dateTime = nudge.occurredAt;
    words.append(time);
  }

  const close = element("button", "close");
  close.type = "button";
  close.setAttribute("aria-label", closeLabel);
  close.append(icon("CLOSE"));
  toast.append(picture(nudge), words, close);
  return { toast, link, time, close };
}

export interface Toast {
  toast: HTMLElement;
  link: HTMLAnchorElement | null;
  time: HTMLTimeElement;
  close: HTMLButtonElement;
}

/** The product's picture, or the drawing of the nudge's category where there is none or it fails. */
function picture(nudge: Nudge): HTMLElement {
  const drawn = element("div", "icon");
  drawn.append(icon(nudge.category));
  if (!nudge.image) return drawn;
  const image = element("img", "image");
  image.alt = "";
  image.decoding = "async";
  image.addEventListener("error", () => image.replaceWith(drawn), { once: true });
  image.src = nudge.image;
  return image;
}

/** The first line becomes the link; the style sheet stretches it over the whole toast. */
function linkOf(words: HTMLElement, href: string): HTMLAnchorElement {
  const first = words.firstElementChild;
  const link = element("a", "link");
  link.href = href;
  link.append(...(first?.childNodes ?? []));
  first?.append(link);
  return link;
}

function line(name: string, text: string): HTMLElement {
  const drawn = element("p", name);
  drawn.textContent = text;
  return drawn;
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  part: string,
): HTMLElementTagNameMap[Tag] {
  const drawn = document.createElement(tag);
  drawn.className = part;
  drawn.setAttribute("part", part);
  return drawn;
}

function isDark(theme: Display["theme"]): boolean {
  return theme === "AUTO" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "DARK";
}
