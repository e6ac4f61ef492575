import type { Load } from "./parts.ts";
import { local, openStores, session } from "./stores.ts";
import type { Options, SaleorNudges } from "./types.ts";
import { type Begun, beginVisit } from "./visit.ts";

/**
 * How often we look what the page says, in milliseconds: whatever router or framework changes it,
 * we wrap none of its functions. What is the same at two looks is meant so.
 */
const LOOK = 500;

/** A visit to another page begins when one of these changes. */
const ABOUT = [
  "shop",
  "page",
  "products",
  "product",
  "channel",
  "category",
  "user",
  "consent",
  "checkout",
  "language-code",
];

/**
 * Keeps one visit at a time for the page's `<saleor-nudges>`: a new one for each page. What the script
 * tag says stands in for what it does not.
 */
export function startWidget(load: Load, given: Iterable<Attr>, endpoint?: string): void {
  const preview = new URLSearchParams(location.search).get("nudges-preview");
  let options: Record<string, string | undefined> = {};
  let visit: Begun | undefined;
  /** What the page called last: `resume()`, `stop()` or nothing. */
  let wanted: boolean | undefined;
  /** What the visit is about, and what was seen at the last look. */
  let about = "";
  let seen = "";
  /** The path that the element's words were first seen at: they are about no other. */
  let paths: Record<string, string> = {};

  const agreed = () => wanted || preview || options.consent === "given";

  const look = (): void => {
    try {
      // The page comes first: nothing is done before it is "complete", by letters the first state.
      const element =
        wanted !== false && document.readyState < "d" && document.querySelector("saleor-nudges");
      const pathname = location.pathname;
      options = { endpoint };
      if (element)
        for (const { name, value } of [...given, ...element.attributes])
          options[name.replace("data-", "")] = value;
      // Other tools have attributes, too.
      const words = JSON.stringify(options, ABOUT);
      const now = pathname + words;
      if (!visit || seen === now) {
        if (!visit || about !== now) {
          about = now;
          paths = { [words]: paths[words] ?? pathname };
          if (pathname !== paths[words]) options.page = options.product = options.category = "";
          const allowed = !options.consent || agreed();
          visit = visit?.end(allowed);
          if (options.channel && allowed)
            visit = beginVisit(element as HTMLElement, options as Options, preview, agreed, load);
        }
        visit?.tick();
      }
      seen = now;
    } catch {}
  };

  /** Obeys the page; what is stored under names that begin so goes. */
  function turn(on: boolean, forgotten: string): void {
    wanted = on;
    openStores();
    for (const store of [session, local])
      for (const key in store) if (key.startsWith(forgotten)) delete store[key];
    // One that was over begins anew.
    if (!on || visit?.over) visit = visit?.end();
    look();
  }

  const widget: SaleorNudges = {
    track(kind, data) {
      try {
        visit?.report(kind, data);
      } catch (error) {
        console.warn(error);
      }
    },
    stop(how) {
      turn(false, how?.forget ? "saleor-nudges" : "saleor-nudges-unsent");
    },
    resume(how) {
      turn(true, how?.forget ? "saleor-nudges-off" : " ");
    },
  };
  addEventListener("storage", (event) => {
    // Another tab has forgotten the visitor: this one must not know them, either.
    if (event.key === "saleor-nudges" && event.newValue === null) turn(false, event.key);
  });
  setInterval(look, LOOK);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("nudges:added-to-cart", (event) =>
    widget.track("added_to_cart", (event as CustomEvent).detail),
  );
  // A page that waits for us, a consent tool above all, can speak to us now.
  self.saleorNudges = widget;
  document.dispatchEvent(new Event("nudges:ready"));
}
