/** All that is seen, loaded when there is something to see. */
import { createAudience } from "./audience.ts";
import { element } from "./element.ts";
import { fetchWording } from "./fetch-wording.ts";
import { listedProducts } from "./listed-products.ts";
import { mayShowHere } from "./may-show-here.ts";
import { createMemory } from "./memory.ts";
import { readFeed } from "./read-feed.ts";
import { showInline } from "./show-inline.ts";
import { showNudges } from "./show-nudges.ts";
import type { Stage } from "./stage.ts";
import { styleSheet } from "./style-sheet.ts";
import { createTimer, type Timer } from "./timer.ts";
import type { Nudge, View, Visit, Wording } from "./types.ts";

/** What nobody has confirmed for so long is not shown any more. */
const STALE = 30_000;
/** As many as one request may name. */
const MOST_SHOWN = 20;

export function createView(visit: Visit): View {
  const { element: host, options, draft } = visit;
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  // First: where the browser is too old for it, nothing else is begun.
  root.adoptedStyleSheets = [styleSheet()];
  // The page's typeface, which we may be outside of.
  host.style.setProperty("--typeface", getComputedStyle(document.body).fontFamily);
  let words: Promise<Wording | null> | undefined;
  let confirmedAt = 0;
  let stale: Timer | null = null;
  let withdrawn: Nudge[] = [];
  let asked: string[] = [];

  const stage: Stage = {
    visit,
    memory: createMemory(visit),
    audience: createAudience(visit, (nudge, reason) => {
      if (reason === "WITHDRAWN") withdrawn.push(nudge);
    }),
    announcer: element("div", "announcer"),
    wording: () => {
      words ??= fetchWording(visit);
      return words;
    },
    // A draft is seen wherever it is looked for.
    mayShow: (display) => !!draft || mayShowHere(display, options, location.pathname),
    turnOff(type) {
      stage.memory.turnOff(type);
      inline.sweep();
    },
  };
  const { announcer, wording } = stage;
  announcer.setAttribute("role", "status");
  root.replaceChildren(announcer);
  const inline = showInline(stage);
  const toasts = showNudges(stage);

  /** Tells those who hear the page what was taken back, once and when they are not busy. */
  function announce(gone: Nudge[]): void {
    if (gone.length === 0) return;
    const names = new Set(gone.map(({ title, text }) => title || text));
    wording().then((words) => {
      const label = options["withdrawn-label"] ?? words?.withdrawn ?? "No longer true";
      announcer.textContent = `${label}: ${[...names].join(", ")}`;
    });
  }

  function clear(): void {
    toasts.lapse();
    inline.clear("WITHDRAWN");
  }

  return {
    asks(exclude) {
      asked = [...toasts.shown(), ...inline.shown()].slice(0, MOST_SHOWN);
      return {
        shown: asked,
        exclude: exclude.split(",").filter((id) => !asked.includes(id)),
        products: listedProducts(options.products),
      };
    },
    accept(answer) {
      const feed = readFeed(answer);
      if (!feed) return;
      withdrawn = [];
      inline.accept(feed, asked, toasts.shown());
      toasts.accept(feed, inline.shown());
      // What only made room for another is still true.
      announce(withdrawn.filter(({ id }) => feed.withdrawn?.includes(id) ?? true));
      confirmedAt = Date.now();
      stale?.cancel();
      const { pollAfter } = feed;
      if (!pollAfter) return;
      // A server that wants to be asked less often is not silent.
      stale = createTimer(Math.max(STALE, 2000 * pollAfter), clear);
    },
    update() {
      stale?.update();
      toasts.update();
      inline.update();
    },
    lapse() {
      // The timer stood still while the tab was hidden.
      if (Date.now() - confirmedAt > STALE) clear();
    },
    end() {
      stale?.cancel();
      toasts.end();
      inline.end();
    },
  };
}
