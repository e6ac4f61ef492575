import { announceWithdrawn } from "./announce-withdrawn.ts";
import { createAudience } from "./audience.ts";
import { thisDevice } from "./device.ts";
import { createEventQueue } from "./event-queue.ts";
import { fetchNudges, MOST_SHOWN } from "./fetch-nudges.ts";
import { mayShowHere } from "./may-show-here.ts";
import { poll } from "./poll.ts";
import { refusesTracking } from "./refuses-tracking.ts";
import { eventTransport } from "./send-events.ts";
import { shopperEvent } from "./shopper-event.ts";
import { showInline } from "./show-inline.ts";
import { showNudges } from "./show-nudges.ts";
import { shownNudges } from "./shown-nudges.ts";
import { browserStore, memoryStore } from "./store.ts";
import { createTimer, type Timer } from "./timer.ts";
import type { Display, Feed, Options, ShopperEvent } from "./types.ts";
import { createVisitor, stranger } from "./visitor.ts";

/** What nobody has confirmed for so long is not shown any more. */
const STALE = 30_000;

/** A visitor who may be asked about, on one page. */
export interface Visit {
  add(event: ShopperEvent): void;
  /** What waits to be reported leaves now. */
  leave(): void;
  stop(): void;
}

/** Brings it all together: who visits, what to ask, what to show, what to report. */
export function beginVisit(
  element: HTMLElement,
  root: ShadowRoot,
  options: Options,
  heard: (mode: Display["consentMode"]) => void,
): Visit {
  const refused = refusesTracking(navigator);
  const off = new AbortController();
  const { signal } = off;
  const device = thisDevice();
  const shown = shownNudges(refused ? memoryStore() : browserStore(() => sessionStorage));
  const kept = browserStore(() => localStorage);
  const visitor = refused ? stranger : createVisitor(options.endpoint, kept, signal);
  const queue = visitor
    .token()
    .then((token) => (token ? createEventQueue(eventTransport(options, visitor)) : null));
  let takesProducts = true;
  let stale: Timer | null = null;
  let confirmedAt = 0;

  const add = (event: ShopperEvent) => void queue.then((queue) => queue?.add(event));
  const report = (kind: string, data?: Record<string, unknown>) =>
    add(shopperEvent(kind, options, data));

  const audience = createAudience(element, report);
  const mayShow = (display: Display) => mayShowHere(display, device, options, location.pathname);
  const toasts = showNudges(root, options, shown, mayShow, audience);
  const inline = showInline(options, mayShow, audience);

  function accept(feed: Feed, asked: string[]): void {
    const gone = [
      ...inline.accept(feed, asked, toasts.shown()),
      ...toasts.accept(feed, inline.shown()),
    ];
    announceWithdrawn(root, options.withdrawnLabel, gone);
    stale?.cancel();
    confirmedAt = Date.now();
    const { pollAfter } = feed;
    if (!pollAfter) return;
    // A server that wants to be asked less often is not silent.
    stale = createTimer(Math.max(STALE, 2000 * pollAfter), () => document.hidden, lapse);
  }

  function lapse(): void {
    toasts.lapse();
    inline.lapse();
  }

  async function ask(): Promise<number | null> {
    const token = await visitor.token();
    const asked = {
      token,
      device,
      exclude: toasts.exclude(),
      shown: [...toasts.shown(), ...inline.shown()].slice(0, MOST_SHOWN),
      products: takesProducts ? inline.products() : [],
    };
    const answer = await fetchNudges(options, asked, signal);
    if (signal.aborted) return null;
    if ("feed" in answer) {
      heard(answer.feed.display.consentMode);
      if (!signal.aborted) accept(answer.feed, asked.shown);
      return answer.feed.pollAfter;
    }
    // Also where the tab was hidden for long, and the timer stood still.
    if (Date.now() - confirmedAt > STALE) lapse();
    if (answer.retryIn === "WITH_NEW_TOKEN") return visitor.renew() ? 0 : null;
    if (answer.retryIn === "WITHOUT_PRODUCTS") {
      takesProducts = false;
      return 0;
    }
    return answer.retryIn;
  }

  document.addEventListener("visibilitychange", visibilityChanged, { signal });
  report(options.product ? "product_viewed" : "page_viewed");
  poll(ask, signal);

  function visibilityChanged(): void {
    stale?.update();
    toasts.update();
    inline.update();
    if (document.hidden) queue.then((queue) => queue?.leave());
  }

  return {
    add,
    leave: () => void queue.then((queue) => queue?.leave()),
    stop() {
      off.abort();
      stale?.cancel();
      toasts.stop();
      inline.stop();
      queue.then((queue) => queue?.drop());
    },
  };
}
