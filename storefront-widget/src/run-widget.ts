import { thisDevice } from "./device.ts";
import { createEventQueue } from "./event-queue.ts";
import { fetchNudges } from "./fetch-nudges.ts";
import { refusesTracking } from "./refuses-tracking.ts";
import { eventTransport } from "./send-events.ts";
import { shopperEvent } from "./shopper-event.ts";
import { showNudges } from "./show-nudges.ts";
import { shownNudges } from "./shown-nudges.ts";
import { browserStore, memoryStore } from "./store.ts";
import { createTimer, type Timer } from "./timer.ts";
import type { Nudge, Options } from "./types.ts";
import { createVisitor, stranger } from "./visitor.ts";
import { whenVisible } from "./when-visible.ts";

/** One page with nudges on it, from its opening to `stop()`. */
export interface Widget {
  track(kind: string, data?: Record<string, unknown>): void;
  stop(): void;
}

/** Brings it all together: who visits, what to ask, what to show, what to report. */
export function runWidget(element: HTMLElement, root: ShadowRoot, options: Options): Widget {
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
  let poll: Timer | null = null;

  function track(kind: string, data: Record<string, unknown> = {}): void {
    const event = shopperEvent(kind, options, data);
    queue.then((queue) => signal.aborted || queue?.add(event));
  }

  function tell(name: string, nudge: Nudge, detail = {}): boolean {
    const init = { bubbles: true, composed: true, cancelable: name !== "nudges:closed" };
    return element.dispatchEvent(new CustomEvent(name, { ...init, detail: { nudge, ...detail } }));
  }

  const showing = showNudges(root, options, shown, {
    showing: (nudge) => tell("nudges:shown", nudge),
    seen: (nudge) => track("nudge_viewed", { nudge: nudge.id }),
    clicked(nudge) {
      track("nudge_clicked", { nudge: nudge.id });
      return tell("nudges:clicked", nudge);
    },
    closed(nudge, reason) {
      if (reason === "USER") track("nudge_closed", { nudge: nudge.id });
      tell("nudges:closed", nudge, { reason });
    },
  });

  async function ask(): Promise<void> {
    const token = await visitor.token();
    const answer = await fetchNudges(options, token, device, showing.exclude(), signal);
    if (signal.aborted) return;
    if ("feed" in answer) showing.accept(answer.feed);
    let after = "feed" in answer ? answer.feed.pollAfter : answer.retryIn;
    if (after === "WITH_NEW_TOKEN") after = visitor.renew() ? 0 : null;
    if (after !== null) poll = createTimer(after * 1000, () => document.hidden, ask);
  }

  function visibilityChanged(): void {
    poll?.update();
    showing.update();
    if (document.hidden) queue.then((queue) => queue?.leave());
  }

  document.addEventListener("visibilitychange", visibilityChanged, { signal });
  whenVisible(signal, () => {
    track(options.product ? "product_viewed" : "page_viewed");
    ask();
  });
  return {
    track,
    stop() {
      off.abort();
      poll?.cancel();
      showing.stop();
      queue.then((queue) => queue?.leave());
    },
  };
}
