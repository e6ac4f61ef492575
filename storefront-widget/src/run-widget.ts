import { permission } from "./permission.ts";
import { poll } from "./poll.ts";
import { shopperEvent } from "./shopper-event.ts";
import type { Options, ShopperEvent } from "./types.ts";
import { beginVisit, type Visit } from "./visit.ts";

/** Before we know whether we may: so many of the page's own events wait, and go no further. */
const MOST_EARLY = 50;

/** One page with nudges on it, from its opening to `stop()`. */
export interface Widget {
  /** True while nothing is known, stored or told of the visitor. */
  waits(): boolean;
  track(kind: string, data?: Record<string, unknown>): void;
  /** The page goes: what waits to be reported is. */
  leave(): void;
  /** The page wants nothing more of us: nothing leaves it after this. */
  stop(): void;
}

/** Waits until the page is looked at and the visitor may be asked about; then the visit begins. */
export function runWidget(
  element: HTMLElement,
  root: ShadowRoot,
  options: Options,
  agreed: boolean,
): Widget {
  const off = new AbortController();
  let visit: Visit | null = null;
  let early: ShopperEvent[] = [];

  function begin(): void {
    if (off.signal.aborted) return;
    visit = beginVisit(element, root, options, (mode) => {
      if (mode === "OPT_IN" && !agreed) stop();
    });
    for (const event of early.splice(0)) visit.add(event);
  }

  function stop(): void {
    off.abort();
    early = [];
    visit?.stop();
    visit = null;
  }

  poll(async () => {
    const answer = agreed || (await permission(options, off.signal));
    if (answer === true) begin();
    return typeof answer === "number" ? answer : null;
  }, off.signal);
  return {
    waits: () => visit === null,
    track(kind, data) {
      const event = shopperEvent(kind, options, data);
      if (visit) visit.add(event);
      else if (!off.signal.aborted && early.length < MOST_EARLY) early.push(event);
    },
    leave() {
      visit?.leave();
      stop();
    },
    stop,
  };
}
