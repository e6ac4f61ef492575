import type { Audience } from "./audience.ts";
import { drawInline, type Inline } from "./inline.ts";
import { createTimer, type Timer } from "./timer.ts";
import type { CloseReason, Display, Feed, Nudge, Options } from "./types.ts";

/** Where a page wants what is true of a product: the attribute's value is the product's global id. */
const PLACE = "data-saleor-nudges-product";
/** As for toasts, and with half of it on the screen. */
const SEEN_AFTER = 1_000;
const SEEN_PART = 0.5;

interface Shown {
  nudge: Nudge;
  drawn: Inline;
  seen: Timer | null;
}

export interface ShowingInline {
  /** The products to ask about. */
  products(): string[];
  /** The ids of what stands on the page. */
  shown(): string[];
  /**
   * A fresh answer to a request that asked whether these ids still stand. What is on the screen as
   * a toast is not put into the page as well. Returns what was taken back.
   */
  accept(feed: Feed, asked: string[], toasts: string[]): Nudge[];
  /** Nobody can tell any more what is true. */
  lapse(): void;
  /** The page may have gone behind another, or come back. */
  update(): void;
  stop(): void;
}

/** Shows nudges in the page, each beside its product; its place keeps its size whatever it says. */
export function showInline(
  options: Options,
  mayShow: (display: Display) => boolean,
  audience: Audience,
): ShowingInline {
  const standing = new Map<Element, Shown>();
  const hidden = () => document.hidden;
  const places = () => [...document.querySelectorAll<HTMLElement>(`[${PLACE}]`)];
  const productOf = (place: Element) => place.getAttribute(PLACE) ?? "";

  const onScreen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const shown = standing.get(target);
        if (!shown) continue;
        shown.seen?.cancel();
        shown.seen = isIntersecting
          ? createTimer(SEEN_AFTER, hidden, () => audience.seen(shown.nudge))
          : null;
      }
    },
    { threshold: SEEN_PART },
  );

  function put(place: HTMLElement, nudge: Nudge, display: Display): void {
    const drawn = drawInline(place, nudge, display, options.languageCode);
    if (!drawn) return;
    standing.set(place, { nudge, drawn, seen: null });
    // Observing tells at once whether it is on the screen.
    onScreen.observe(place);
  }

  function remove(place: Element, reason: CloseReason): Nudge | null {
    const shown = standing.get(place);
    if (!shown) return null;
    standing.delete(place);
    onScreen.unobserve(place);
    shown.seen?.cancel();
    shown.drawn.remove();
    audience.closed(shown.nudge, reason);
    return shown.nudge;
  }

  function clear(reason: CloseReason): void {
    for (const place of [...standing.keys()]) remove(place, reason);
  }

  /** A place goes on saying what it says while that is so. Returns what had to go. */
  function renew(place: HTMLElement, feed: Feed, asked: string[], toasts: string[]): Nudge | null {
    const { nudges, display, withdrawn } = feed;
    const before = standing.get(place);
    const same = before && nudges.find(({ id }) => id === before.nudge.id);
    if (same) {
      before.nudge = same;
      before.drawn.update(same);
      return null;
    }
    const id = before?.nudge.id ?? "";
    if (withdrawn && asked.includes(id) && !withdrawn.includes(id)) return null;
    const gone = remove(place, "WITHDRAWN");
    const nudge = nudges.find(
      ({ slot, product, id }) =>
        slot === "INLINE" && product?.id === productOf(place) && !toasts.includes(id),
    );
    if (nudge && audience.showing(nudge)) put(place, nudge, display);
    return gone;
  }

  return {
    products() {
      const named = options.products.length ? options.products : places().map(productOf);
      return [...new Set(named.filter(Boolean))];
    },
    shown: () => [...new Set([...standing.values()].map(({ nudge }) => nudge.id))],
    accept(feed, asked, toasts) {
      if (!mayShow(feed.display)) {
        clear(feed.display.enabled ? "STOPPED" : "WITHDRAWN");
        return [];
      }
      for (const place of standing.keys()) {
        if (!place.isConnected) remove(place, "STOPPED");
      }
      return places()
        .map((place) => renew(place, feed, asked, toasts))
        .filter((gone) => gone !== null)
        .filter(({ id }) => feed.withdrawn?.includes(id));
    },
    lapse: () => clear("WITHDRAWN"),
    update() {
      for (const { seen } of standing.values()) seen?.update();
    },
    stop() {
      onScreen.disconnect();
      clear("STOPPED");
    },
  };
}
