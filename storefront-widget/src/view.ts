/** All that is seen, loaded when there is something to see. */
import { createAudience } from "./audience.ts";
import { element } from "./element.ts";
import { fetchWording } from "./fetch-wording.ts";
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
  const { element: host, options, preview } = visit;
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  // First: where the browser is too old for it, nothing else is begun.
  root.adoptedStyleSheets = [styleSheet()];
  let words: Promise<Wording | null> | undefined;
  let confirmedAt = 0;
  let stale: Timer | null = null;
  let withdrawn: Nudge[] = [];

  const stage: Stage = {
    visit,
    memory: createMemory(visit),
    audience: createAudience(visit, (nudge, reason) => {
      if (reason === "WITHDRAWN") withdrawn.push(nudge);
    }),
    announcer: element("div", "announcer"),
    wording: () => {
      words ??= fetchWording(options);
      return words;
    },
    // A draft is seen wherever it is looked for.
    mayShow: (display) => !!preview || mayShowHere(display, options, location.pathname),
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
    accept(answer, asked) {
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
    shown: () => [...toasts.shown(), ...inline.shown()].slice(0, MOST_SHOWN),
    update() {
      stale?.update();
      toasts.update();
      inline.update();
    },
    lapse() {
      // The timer stood still while the tab was hidden.
      if (Date.now() - confirmedAt > STALE) clear();
    },
    stop() {
      stale?.cancel();
      toasts.stop();
      inline.stop();
    },
  };
}
