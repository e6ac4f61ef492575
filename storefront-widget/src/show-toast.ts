import { dialogOpen } from "./dialog-open.ts";
import { locale } from "./locale.ts";
import { relativeTime } from "./relative-time.ts";
import { createTimer } from "./timer.ts";
import { drawToast } from "./toast.ts";
import type { CloseReason, Display, Nudge } from "./types.ts";

/** A nudge counts as seen after one second on a visible page, as is usual for what is shown to people. */
const SEEN_AFTER = 1_000;
/** Often enough that "1 minute ago" is never wrong by much. */
const TICK = 10_000;
/** A little longer than the style sheet's way out, for browsers that do not say when it ended. */
const WAY_OUT = 300;

export interface Shown {
  nudge: Nudge;
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
  labels: { close: string; languageCode: string | null },
  listener: Listener,
): Shown {
  const { toast, link, time, close: button } = drawToast(nudge, display, labels.close);
  const announcer = root.querySelector(".announcer");
  const off = new AbortController();
  const { signal } = off;
  let focusedBefore: EventTarget | null = null;

  const hidden = () => document.hidden;
  // Nobody has to read against the clock: a toast that is pointed at or focused stays.
  const held = () => hidden() || toast.matches(":hover, :focus-within");
  const duration = createTimer(display.duration * 1000, held, () => close("TIMEOUT"));
  const seen = createTimer(SEEN_AFTER, hidden, listener.seen);
  const language = locale(labels.languageCode ?? document.documentElement.lang);
  const tick = () => {
    if (nudge.occurredAt) time.textContent = relativeTime(nudge.occurredAt, Date.now(), language);
  };
  const ticking = setInterval(tick, TICK);

  function close(reason: CloseReason): void {
    if (signal.aborted) return;
    off.abort();
    duration.cancel();
    seen.cancel();
    clearInterval(ticking);
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

  tick();
  root.append(toast);
  // In the top layer no ancestor of ours can clip, transform or cover it.
  toast.popover = "manual";
  toast.showPopover?.();
  announcer?.append([nudge.title, nudge.text].filter(Boolean).join(". "));
  return { nudge, close };
}
