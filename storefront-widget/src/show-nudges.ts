import { dialogOpen } from "./dialog-open.ts";
import { now } from "./now.ts";
import { type ShownToast, showToast } from "./show-toast.ts";
import type { Stage } from "./stage.ts";
import { createTimer, type Timer } from "./timer.ts";
import type { Display, Feed, Nudge, Wording } from "./types.ts";

/** While the shopper is busy in a dialog we wait, and look again after so many seconds. */
const BUSY = 1;

export interface Showing {
  /**
   * A fresh answer: what is new and stands not in the page already waits its turn, what is no
   * longer true goes.
   */
  accept(feed: Feed, inPage: string[]): void;
  /** Nobody can tell any more what is true. */
  lapse(): void;
  /** The id of the one on screen. */
  shown(): string[];
  /** The page may have gone behind another, or come back. */
  update(): void;
  end(): void;
}

/** Shows nudges as toasts in turn: one at a time, at the seller's pace, never on a hidden page. */
export function showNudges(stage: Stage): Showing {
  const { memory, audience, wording, mayShow } = stage;
  const { shown, closed } = memory;
  /** Before the first answer and after `end()` there is none. */
  let display: Display | undefined;
  let queue: Nudge[] = [];
  let current: ShownToast | null = null;
  let next: Timer | null = null;
  let onThisPage = 0;

  function wait(seconds: number): void {
    next?.cancel();
    // Nothing that goes wrong in drawing reaches the page.
    next = createTimer(
      seconds * 1000,
      () =>
        void wording()
          .then(showNext)
          .catch(() => {}),
    );
  }

  function showNext(wording: Wording | null): void {
    next = null;
    if (current || !display || !mayShow(display) || !hasRoom(display)) return;
    if (dialogOpen()) {
      wait(BUSY);
      return;
    }
    const nudge = nextWanted();
    if (nudge) show(nudge, display, wording);
  }

  function hasRoom({ maxPerPage, maxPerSession }: Display): boolean {
    return onThisPage < maxPerPage && shown.size() < maxPerSession;
  }

  /** The first in the queue that neither the visitor nor the page declines. */
  function nextWanted(): Nudge | undefined {
    for (let nudge = queue.shift(); nudge; nudge = queue.shift()) {
      const { id, slot } = nudge;
      const fresh = slot === "TOAST" && !shown.has(id) && !closed.has(id) && !memory.isOff(nudge);
      if (fresh && audience.showing(nudge)) return nudge;
    }
    return undefined;
  }

  function show(nudge: Nudge, how: Display, wording: Wording | null): void {
    shown.add(nudge.id);
    onThisPage++;
    current = showToast(stage, nudge, how, wording, (reason) => {
      current = null;
      if (reason === "USER") closed.add(nudge.id);
      if (display) wait(display.gap);
    });
  }

  /** The one on screen says what the server says now, or goes. */
  function renew({ nudges, display, withdrawn }: Feed): void {
    if (!current) return;
    const { id } = current;
    const told = nudges.find((nudge) => nudge.id === id);
    const stands = withdrawn ? !withdrawn.includes(id) : told;
    if (!display.enabled || !stands) current.close("WITHDRAWN");
    else if (!mayShow(display)) current.close("STOPPED");
    else if (told) current.tell(told);
  }

  return {
    accept(feed, inPage) {
      const first = !display;
      display = feed.display;
      queue = feed.nudges.filter(({ id }) => !inPage.includes(id));
      renew(feed);
      // A pause that is running goes on; after an empty queue the pause is already over.
      if (!current && !next) wait(first ? display.initialDelay - (now() - stage.visit.since) : 0);
    },
    lapse() {
      queue = [];
      current?.close("WITHDRAWN");
    },
    shown: () => (current ? [current.id] : []),
    update() {
      next?.update();
      current?.update();
    },
    end() {
      display = undefined;
      next?.cancel();
      current?.close("STOPPED");
    },
  };
}
