import { dialogOpen } from "./dialog-open.ts";
import { followTheme } from "./follow-theme.ts";
import type { Stage } from "./stage.ts";
import { createTimer } from "./timer.ts";
import { drawToast } from "./toast.ts";
import type { CloseReason, Display, Nudge, Wording } from "./types.ts";

/** A nudge counts as seen after one second on a visible page, as is usual for what is shown to people. */
const SEEN_AFTER = 1_000;
/** A little longer than the style sheet's way out, for browsers that do not say when it ended. */
const WAY_OUT = 300;

export interface ShownToast {
  id: string;
  /** The same nudge in other words: they change where they stand, and are not read out again. */
  tell(nudge: Nudge): void;
  /** Called twice a second: the page may have gone behind another, the pointer over the toast. */
  update(): void;
  close(reason: CloseReason): void;
}

/**
 * Puts one nudge on the screen until its time is over, its reader closes it or `close` is called;
 * `gone` is called then.
 */
export function showToast(
  { visit, audience, announcer, turnOff }: Stage,
  nudge: Nudge,
  display: Display,
  wording: Wording | null,
  gone: (reason: CloseReason) => void,
): ShownToast {
  const off = new AbortController();
  const { signal } = off;
  const closeByUser = () => close("USER");
  const drawn = drawToast(nudge, display, wording, visit, closeByUser, (type) => {
    turnOff(type);
    closeByUser();
  });
  const { toast, link, why } = drawn;
  let latest = nudge;
  let focusedBefore: EventTarget | null = null;

  // Nobody has to read against the clock: what is pointed at, focused or asked about stays.
  const held = () => document.hidden || why?.isOpen() || toast.matches(":hover, :focus-within");
  const duration = createTimer(display.duration * 1000, () => close("TIMEOUT"), held);
  const seen = createTimer(SEEN_AFTER, () => audience.seen(latest));

  function close(reason: CloseReason): void {
    if (signal.aborted) return;
    off.abort();
    duration.cancel();
    seen.cancel();
    drawn.end();
    announcer.textContent = "";
    if (toast.matches(":focus-within") && focusedBefore instanceof HTMLElement) {
      focusedBefore.focus({ preventScroll: true });
    }
    toast.classList.add("leaving");
    toast.inert = true;
    setTimeout(() => toast.remove(), reason === "STOPPED" ? 0 : WAY_OUT);
    gone(reason);
    audience.closed(latest, reason);
  }

  function update(): void {
    duration.update();
    seen.update();
  }

  toast.addEventListener("focusin", (event) => (focusedBefore ??= event.relatedTarget));
  link.onclick = (event) => {
    // Into another tab or window: that is between the browser and whoever clicked.
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    return audience.clicked(latest, elsewhere) || event.preventDefault();
  };
  document.addEventListener(
    "keydown",
    (event) => {
      // In an open dialog, Esc is the dialog's.
      if (event.key !== "Escape" || event.defaultPrevented || dialogOpen()) return;
      if (why?.isOpen()) why.close();
      else closeByUser();
    },
    { signal },
  );
  followTheme(toast, display, signal);

  visit.element.shadowRoot?.append(toast);
  // In the top layer no ancestor of ours can clip, transform or cover it.
  toast.popover = "manual";
  toast.showPopover?.();
  announcer.textContent = [nudge.title, nudge.text].filter(Boolean).join(". ");
  return {
    id: nudge.id,
    tell(nudge) {
      latest = nudge;
      drawn.update(nudge);
    },
    update,
    close,
  };
}
