import { iconButton } from "./button.ts";
import { element } from "./element.ts";
import { icon } from "./icon.ts";
import type { Display, Nudge, Visit, Wording } from "./types.ts";
import { drawWhy, type Why } from "./why.ts";
import { drawWords } from "./words.ts";

const CROSS = "M7 7l10 10M17 7 7 17";

export interface Toast {
  toast: HTMLElement;
  link: HTMLAnchorElement;
  why: Why | null;
  /** The same nudge as the server tells it now. */
  update(nudge: Nudge): void;
  /** Its time stands still. */
  end(): void;
}

/** Draws one nudge. Only text nodes and properties: nothing a shop's content policy would refuse. */
export function drawToast(
  nudge: Nudge,
  display: Display,
  wording: Wording | null,
  { options, draft }: Visit,
  close: () => void,
  turnOff: (type?: string) => void,
): Toast {
  const toast = element("div", "toast", picture(nudge));
  toast.setAttribute("role", "region");
  toast.setAttribute("aria-label", nudge.title || nudge.text);
  toast.classList.add(display.position.desktop, display.position.mobile);
  const { words, link, update, end } = drawWords(toast, nudge, display, options["language-code"]);
  if (draft) {
    const tag = element("div", "tag preview");
    tag.textContent = wording?.preview ?? "Preview";
    words.prepend(tag);
  }
  const label = options["close-label"] ?? wording?.close ?? "Close";
  const why = drawWhy(nudge, wording, turnOff);
  toast.append(iconButton("close", CROSS, label, close));
  // In the order in which they are read and reached: the panel after its button.
  if (why) toast.append(why.opener, why.panel);
  return {
    toast,
    link,
    why,
    update(nudge) {
      update(nudge);
      why?.update(nudge);
    },
    end,
  };
}

/** The product's picture, or the drawing of the nudge's kind where there is none or it fails. */
function picture(nudge: Nudge): HTMLElement {
  const drawn = element("div", "icon", icon(nudge.icon));
  if (!nudge.image) return drawn;
  const image = element("img", "image");
  image.alt = "";
  image.onerror = () => image.replaceWith(drawn);
  image.src = nudge.image;
  return image;
}
