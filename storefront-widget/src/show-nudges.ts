import type { Audience } from "./audience.ts";
import { dialogOpen } from "./dialog-open.ts";
import { type Shown, showToast } from "./show-toast.ts";
import type { ShownNudges } from "./shown-nudges.ts";
import { createTimer, type Timer } from "./timer.ts";
import type { Display, Feed, Nudge, Options } from "./types.ts";

/** While the shopper is busy in a dialog we wait, and look again after this long. */
const BUSY = 1_000;

export interface Showing {
  /**
   * A fresh answer: what is new and stands not in the page already waits its turn, what is no
   * longer true goes and is returned.
   */
  accept(feed: Feed, inPage: string[]): Nudge[];
  /** Nobody can tell any more what is true. */
  lapse(): void;
  /** The ids a request must leave out: all that were shown, but the one on screen. */
  exclude(): string[];
  /** The id of the one on screen. */
  shown(): string[];
  /** The page may have gone behind another, or come back. */
  update(): void;
  stop(): void;
}

/** Shows nudges as toasts in turn: one at a time, at the seller's pace, never on a hidden page. */
export function showNudges(
  root: ShadowRoot,
  options: Options,
  shown: ShownNudges,
  mayShow: (display: Display) => boolean,
  audience: Audience,
): Showing {
  let display: Display | undefined;
  let queue: Nudge[] = [];
  let current: { nudge: Nudge; toast: Shown } | null = null;
  let next: Timer | null = null;
  let onThisPage = 0;
  let stopped = false;

  const hidden = () => document.hidden;
  const fresh = (nudge: Nudge) => nudge.slot === "TOAST" && !shown.has(nudge.id);

  function hasRoom({ maxPerPage, maxPerSession }: Display): boolean {
    return onThisPage < maxPerPage && shown.ids().length < maxPerSession;
  }

  function wait(ms: number): void {
    next?.cancel();
    next = createTimer(ms, hidden, showNext);
  }

  function showNext(): void {
    next = null;
    if (stopped || current || !display || !mayShow(display) || !hasRoom(display)) return;
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
    }
    return undefined;
  }

  function show(nudge: Nudge, display: Display): void {
    shown.add(nudge.id);
    onThisPage++;
    const latest = () => current?.nudge ?? nudge;
    const toast = showToast(root, nudge, display, options, {
      seen: () => audience.seen(latest()),
      clicked: () => audience.clicked(latest()),
      closed(reason) {
        const last = latest();
        current = null;
        audience.closed(last, reason);
        if (!stopped) wait(display.gap * 1000);
      },
    });
    current = { nudge, toast };
  }

  /** The one on screen says what the server says now, or goes. Returns it if it was taken back. */
  function renew({ nudges, display, withdrawn }: Feed): Nudge[] {
    if (!current) return [];
    const { nudge, toast } = current;
    if (display.enabled && !mayShow(display)) {
      toast.close("STOPPED");
      return [];
    }
    const told = nudges.find(({ id }) => id === nudge.id);
    const stands = withdrawn ? !withdrawn.includes(nudge.id) : told;
    if (!display.enabled || !stands) {
      toast.close("WITHDRAWN");
      return [nudge];
    }
    if (told) {
      current.nudge = told;
      toast.update(told);
    }
    return [];
  }

  return {
    accept(feed, inPage) {
      const first = !display;
      display = feed.display;
      queue = feed.nudges.filter((nudge) => fresh(nudge) && !inPage.includes(nudge.id));
      const gone = renew(feed);
      // A pause that is running goes on; after an empty queue the pause is already over.
      if (!current && !next) wait(first ? display.initialDelay * 1000 : 0);
      return gone;
    },
    lapse() {
      queue = [];
      current?.toast.close("WITHDRAWN");
    },
    exclude: () => shown.ids().filter((id) => id !== current?.nudge.id),
    shown: () => (current ? [current.nudge.id] : []),
    update: () => next?.update(),
    stop() {
      stopped = true;
      next?.cancel();
      current?.toast.close("STOPPED");
    },
  };
}
