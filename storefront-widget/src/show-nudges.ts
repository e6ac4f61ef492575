import { dialogOpen } from "./dialog-open.ts";
import { type Shown, showToast } from "./show-toast.ts";
import type { ShownNudges } from "./shown-nudges.ts";
import { createTimer, type Timer } from "./timer.ts";
import type { CloseReason, Display, Feed, Nudge, Options } from "./types.ts";

/** While the shopper is busy in a dialog we wait, and look again after this long. */
const BUSY = 1_000;

export interface Showing {
  /** A fresh answer: what is new waits its turn, what is no longer true goes. */
  accept(feed: Feed): void;
  /** The ids a request must leave out: all that were shown, but the one on screen. */
  exclude(): string[];
  update(): void;
  stop(): void;
}

export interface Audience {
  /** False: the page does not want this one shown. */
  showing(nudge: Nudge): boolean;
  seen(nudge: Nudge): void;
  clicked(nudge: Nudge): boolean;
  closed(nudge: Nudge, reason: CloseReason): void;
}

/** Shows nudges as toasts in turn: one at a time, at the seller's pace, never on a hidden page. */
export function showNudges(
  root: ShadowRoot,
  options: Options,
  shown: ShownNudges,
  audience: Audience,
): Showing {
  const labels = { close: options.closeLabel, languageCode: options.languageCode };
  const declined = new Set<string>();
  let display: Display | undefined;
  let queue: Nudge[] = [];
  let current: Shown | null = null;
  let next: Timer | null = null;
  let onThisPage = 0;
  let stopped = false;

  const hidden = () => document.hidden;
  const fresh = (nudge: Nudge) =>
    nudge.slot === "TOAST" && !shown.has(nudge.id) && !declined.has(nudge.id);

  function mayShow({ enabled, maxPerPage, maxPerSession }: Display): boolean {
    return enabled && onThisPage < maxPerPage && shown.ids().length < maxPerSession;
  }

  function wait(ms: number): void {
    next?.cancel();
    next = createTimer(ms, hidden, showNext);
  }

  function showNext(): void {
    next = null;
    if (stopped || current || !display || !mayShow(display)) return;
    if (dialogOpen()) {
      wait(BUSY);
      return;
    }
    const nudge = nextWanted();
    if (nudge) show(nudge, display);
  }

  /** The first in the queue that the page does not decline. */
  function nextWanted(): Nudge | undefined {
    for (let nudge = queue.shift(); nudge; nudge = queue.shift()) {
      if (audience.showing(nudge)) return nudge;
      declined.add(nudge.id);
    }
    return undefined;
  }

  function show(nudge: Nudge, display: Display): void {
    shown.add(nudge.id);
    onThisPage++;
    current = showToast(root, nudge, display, labels, {
      seen: () => audience.seen(nudge),
      clicked: () => audience.clicked(nudge),
      closed(reason) {
        current = null;
        audience.closed(nudge, reason);
        if (!stopped) wait(display.gap * 1000);
      },
    });
  }

  return {
    accept(feed) {
      const first = !display;
      display = feed.display;
      queue = feed.nudges.filter(fresh);
      const id = current?.nudge.id;
      const stays = display.enabled && feed.nudges.some((nudge) => nudge.id === id);
      if (current && !stays) current.close("WITHDRAWN");
      // A pause that is running goes on; after an empty queue the pause is already over.
      if (!current && !next) wait(first ? display.initialDelay * 1000 : 0);
    },
    exclude: () => shown.ids().filter((id) => id !== current?.nudge.id),
    update: () => next?.update(),
    stop() {
      stopped = true;
      next?.cancel();
      current?.close("STOPPED");
    },
  };
}
