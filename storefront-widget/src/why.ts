import { button, iconButton } from "./button.ts";
import { element } from "./element.ts";
import { explain } from "./explain.ts";
import type { Nudge, Wording } from "./types.ts";

/** An i in a circle. */
const INFO = "M12 11v5M12 8h.01M3 12a9 9 0 1 0 18 0 9 9 0 1 0-18 0";

/** "Why am I seeing this?": the button, and what it opens. */
export interface Why {
  opener: HTMLElement;
  panel: HTMLElement;
  isOpen(): boolean;
  close(): void;
  update(nudge: Nudge): void;
}

/** Null where the server does not say how this kind is come by. */
export function drawWhy(
  nudge: Nudge,
  wording: Wording | null,
  turnOff: (type?: string) => void,
): Why | null {
  const about = wording?.about?.[nudge.type];
  if (!about) return null;
  const less = button("less", wording.less, () => turnOff(nudge.type));
  const off = button("off", wording.off, () => turnOff());
  const told = element("div", "about");
  const panel = element("div", "panel", told, less, off);
  const isOpen = () => !panel.hidden;
  const opener = iconButton("why", INFO, wording.why, () => show(!isOpen()));

  function show(open: boolean): void {
    panel.hidden = !open;
    opener.setAttribute("aria-expanded", `${open}`);
  }

  const update = (nudge: Nudge) => {
    told.textContent = explain(about, nudge, wording);
  };

  show(false);
  update(nudge);
  return {
    opener,
    panel,
    isOpen,
    close() {
      // What is hidden loses the focus.
      if (panel.matches(":focus-within")) opener.focus();
      show(false);
    },
    update,
  };
}
