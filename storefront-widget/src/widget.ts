import type { Load } from "./parts.ts";
import { local, openStores, session } from "./stores.ts";
import type { Options, SaleorNudges } from "./types.ts";
import { type Begun, beginVisit } from "./visit.ts";

/**
 * How often we look what the page says, in milliseconds: whatever router or framework changes it,
 * we wrap none of its functions. What is the same at two looks is meant so.
 */
const LOOK = 500;

/**
 * Keeps one visit at a time for the page's `<saleor-nudges>`: a new one for each page. What the given
 * elements say stands in for what it does not.
 */
export function startWidget(load: Load, given: Element[], endpoint?: string): void {
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
      if (wanted === false) {
        visit?.stop();
        visit = undefined;
        return;
      }
      // The page comes first: nothing is done before it is "complete", by letters the first state.
      const element = document.readyState < "d" && document.querySelector("saleor-nudges");
      const pathname = location.pathname;
      options = { endpoint };
      if (element)
        for (const { attributes } of [...given, element])
          for (const { name, value } of attributes) options[name.replace("data-", "")] = value;
      const words = JSON.stringify(options);
      const now = pathname + words;
      if (!visit || seen === now) {
        if (!visit || about !== now) {
          about = now;
          paths = { [words]: paths[words] ?? pathname };
          if (pathname !== paths[words]) options.page = options.product = options.category = "";
          const allowed = !options.consent || agreed();
          if (allowed) visit?.handOver();
          visit?.stop();
          visit =
            options.channel && allowed
              ? beginVisit(element as Element, options as Options, preview, agreed, load)
              : undefined;
        }
        visit?.tick();
      }
      seen = now;
    } catch {}
  };

  const widget: SaleorNudges = {
    track(kind, data) {
      try {
        visit?.report(kind, data);
      } catch {}
    },
    stop(how) {
      wanted = false;
      openStores();
      delete local["saleor-nudges-unsent"];
      look();
      if (how?.forget)
        for (const store of [local, session])
          for (const key in store) if (/^saleor-nudges/.test(key)) delete store[key];
    },
    resume(how) {
      wanted = true;
      openStores();
      if (visit?.over) visit = undefined;
      if (how?.forget) delete local["saleor-nudges-off"];
      look();
    },
  };
  setInterval(look, LOOK);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("nudges:added-to-cart", (event) =>
    widget.track("added_to_cart", (event as CustomEvent).detail),
  );
  // A page that waits for us, a consent tool above all, can speak to us now.
  self.saleorNudges = widget;
  document.dispatchEvent(new Event("nudges:ready"));
}
