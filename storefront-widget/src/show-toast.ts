import { dialogOpen } from "./dialog-open.ts";
import { createTimer } from "./timer.ts";
import { drawToast } from "./toast.ts";
import type { CloseReason, Display, Nudge, Options } from "./types.ts";

/** A nudge counts as seen after one second on a visible page, as is usual for what is shown to people. */
const SEEN_AFTER = 1_000;
/** A little longer than the style sheet's way out, for browsers that do not say when it ended. */
const WAY_OUT = 300;

export interface Shown {
  /** The same nudge in other words: they change where they stand, and are not read out again. */
  update(nudge: Nudge): void;
  close(reason: CloseReason): void;
}

/** What the toast tells whoever showed it. */
export interface Listener {
  seen(): void;
  /** False: the page goes there by itself. */
  clicked(): boolean;
  closed(reason: CloseReason): void;
}

/** Puts one nudge on the screen until its time is over, its reader closes it or `close` is called. */
export function showToast(
  root: ShadowRoot,
  nudge: Nudge,
  display: Display,
  options: Options,
  listener: Listener,
): Shown {
  const { toast, link, close: button, update: tell, stop } = drawToast(nudge, display, options);
  const announcer = root.querySelector(".announcer");
  const off = new AbortController();
  const { signal } = off;
  let focusedBefore: EventTarget | null = null;

  const hidden = () => document.hidden;
  // Nobody has to read against the clock: a toast that is pointed at or focused stays.
  const held = () => hidden() || toast.matches(":hover, :focus-within");
  const duration = createTimer(display.duration * 1000, held, () => close("TIMEOUT"));
  const seen = createTimer(SEEN_AFTER, hidden, listener.seen);

  function close(reason: CloseReason): void {
    if (signal.aborted) return;
    off.abort();
    duration.cancel();
    seen.cancel();
    stop();
    announcer?.replaceChildren();
    if (toast.matches(":focus-within") && focusedBefore instanceof HTMLElement) {
      focusedBefore.focus({ preventScroll: true });
    }
    toast.classList.add("leaving");
    toast.inert = true;
    setTimeout(() => toast.remove(), reason === "STOPPED" ? 0 : WAY_OUT);
    listener.closed(reason);
  }

  const update = () => {
    duration.update();
    seen.update();
  };
  for (const name of ["pointerenter", "pointerleave", "focusin", "focusout"] as const) {
    // Later: focus has not moved yet while focusout is told.
    toast.addEventListener(name, () => setTimeout(update), { signal });
  }
  document.addEventListener("visibilitychange", update, { signal });
  toast.addEventListener("focusin", (event) => (focusedBefore ??= event.relatedTarget), { signal });
  button.addEventListener("click", () => close("USER"), { signal });
  link?.addEventListener("click", (event) => listener.clicked() || event.preventDefault(), {
    signal,
  });
  document.addEventListener(
    "keydown",
    (event) => {
      // In an open dialog, Esc is the dialog's.
      if (event.key !== "Escape" || event.defaultPrevented || dialogOpen()) return;
      close("USER");
    },
    { signal },
  );

  root.append(toast);
  // In the top layer no ancestor of ours can clip, transform or cover it.
  toast.popover = "manual";
  toast.showPopover?.();
  announcer?.replaceChildren([nudge.title, nudge.text].filter(Boolean).join(". "));
  return { update: tell, close };
}
