import { drawInline, type Inline } from "./inline.ts";
import { isThere, PLACE, places } from "./places.ts";
import type { Stage } from "./stage.ts";
import { createTimer, type Timer } from "./timer.ts";
import type { CloseReason, Display, Feed, Nudge } from "./types.ts";

/** As for toasts, and with half of it on the screen. */
const SEEN_AFTER = 1_000;
const SEEN_PART = 0.5;

interface Standing {
  nudge: Nudge;
  drawn: Inline;
  seen: Timer | null;
}

export interface ShowingInline {
  /** The ids of what stands on the page. */
  shown(): string[];
  /**
   * A fresh answer to a request that asked whether these ids still stand. What is on the screen as
   * a toast is not put into the page as well.
   */
  accept(feed: Feed, asked: string[], toasts: string[]): void;
  /** What has left the page, or the visitor has switched off, goes. */
  sweep(): void;
  /** Nobody can tell any more what is true, or (`STOPPED`) it is not wanted. */
  clear(reason: CloseReason): void;
  /** The page may have gone behind another, or come back. */
  update(): void;
  end(): void;
}

/** Shows nudges in the page, each beside its product; its place keeps its size whatever it says. */
export function showInline({ visit, memory, audience, mayShow }: Stage): ShowingInline {
  const standing = new Map<Element, Standing>();

  const onScreen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const one = standing.get(target);
        if (!one) continue;
        one.seen?.cancel();
        one.seen = isIntersecting ? createTimer(SEEN_AFTER, () => audience.seen(one.nudge)) : null;
      }
    },
    { threshold: SEEN_PART },
  );

  function put(place: HTMLElement, nudge: Nudge, display: Display): void {
    const drawn = drawInline(place, nudge, display, visit.options["language-code"]);
    if (!drawn) return;
    standing.set(place, { nudge, drawn, seen: null });
    // Observing tells at once whether it is on the screen.
    onScreen.observe(place);
  }

  function remove(place: Element, reason: CloseReason): void {
    const one = standing.get(place);
    if (!one) return;
    standing.delete(place);
    onScreen.unobserve(place);
    one.seen?.cancel();
    one.drawn.remove();
    audience.closed(one.nudge, reason);
  }

  function clear(reason: CloseReason): void {
    for (const place of standing.keys()) remove(place, reason);
  }

  function sweep(): void {
    for (const [place, { nudge }] of standing) {
      // A list may have given its place to another product.
      const moved = nudge.product?.id !== place.getAttribute(PLACE);
      if (moved || !isThere(place) || memory.isOff(nudge)) remove(place, "STOPPED");
    }
  }

  /** A place goes on saying what it says while that is so. */
  function renew(place: HTMLElement, feed: Feed, asked: string[], toasts: string[]): void {
    const { nudges, display, withdrawn } = feed;
    const before = standing.get(place);
    const id = before?.nudge.id ?? "";
    const same = before && nudges.find((nudge) => nudge.id === id);
    if (same) {
      before.nudge = same;
      before.drawn.update(same);
      return;
    }
    if (withdrawn && asked.includes(id) && !withdrawn.includes(id)) return;
    remove(place, "WITHDRAWN");
    const product = place.getAttribute(PLACE);
    const nudge = nudges.find(
      (nudge) =>
        nudge.slot === "INLINE" && nudge.product?.id === product && !toasts.includes(nudge.id),
    );
    if (nudge && !memory.isOff(nudge) && audience.showing(nudge)) put(place, nudge, display);
  }

  return {
    shown: () => [...new Set([...standing.values()].map(({ nudge }) => nudge.id))],
    accept(feed, asked, toasts) {
      const { display } = feed;
      if (!mayShow(display)) return clear(display.enabled ? "STOPPED" : "WITHDRAWN");
      sweep();
      for (const place of places()) renew(place, feed, asked, toasts);
    },
    sweep,
    clear,
    update() {
      sweep();
      for (const { seen } of standing.values()) seen?.update();
    },
    end() {
      onScreen.disconnect();
      clear("STOPPED");
    },
  };
}
