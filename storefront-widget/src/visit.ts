import { listedProducts } from "./listed-products.ts";
import type { Load } from "./parts.ts";
import { request } from "./request.ts";
import { shopperEvent } from "./shopper-event.ts";
import { local, openStores, session } from "./stores.ts";
import type { Answer, Options, Sender, ShopperEvent, View, Visit } from "./types.ts";

/** As many events as the server takes at once, and as a page or a browser keeps of them. */
const MOST_EVENTS = 100;
/** More than a page shows as toasts, so that what must be left out leaves enough. */
const COUNT = "10";
/** Seconds: what a server that was away is given more each time, before it is asked again. */
const AGAIN = 10;
/** Seconds that events wait for each other where there is nothing to ask. */
const QUIET = 5;
/** Milliseconds: an answer that takes longer is not waited for. */
const PATIENCE = 30_000;

/** A visit to one page, as the loader goes through it. */
export interface Begun extends Visit {
  /** Does what is due by now; called a few times a second. */
  tick(): void;
  /** The page may be gone in a moment: what waits to be reported is. */
  handOver(): void;
  /** The page wants nothing more of us: nothing leaves it after this. */
  stop(): void;
}

/** Brings it all together: who visits, what to ask, when to show, what to report. */
export function beginVisit(
  element: Element,
  options: Options,
  preview: string | null,
  agreed: () => unknown,
  load: Load,
): Begun {
  const { channel, shop, page, product } = options;
  const followed = !preview && !navigator.globalPrivacyControl && navigator.doNotTrack !== "1";
  const base = options.endpoint.replace(/\/?$/, "/v1/");
  const sender: Sender = { channel, shop };
  openStores();
  let waiting: ShopperEvent[] = [];
  try {
    if (followed) waiting = waiting.concat(JSON.parse(local["saleor-nudges-unsent"] ?? "[]"));
  } catch {}
  let answer: Answer | undefined;
  let view: View | undefined;
  let failures = 0;
  let due = 0;

  const visit: Begun = {
    element,
    options,
    followed,
    preview,
    over: false,
    since: Date.now(),
    report(kind, data) {
      if (followed && !visit.over && !waiting[MOST_EVENTS - 1])
        waiting.push(shopperEvent(kind, options, data));
    },
    tick() {
      if (view) view.update();
      else if (answer) show(answer);
      if (document.hidden) handOver();
      else if (navigator.onLine && !visit.over && Date.now() > due) {
        due = Date.now() + PATIENCE;
        ask()
          .catch(failed)
          .then((seconds) => (due = Date.now() + seconds * 1000));
      }
    },
    handOver,
    stop() {
      view?.stop();
      visit.over = true;
      waiting = [];
    },
  };

  /** One turn of the heartbeat; resolves to the seconds to the next. */
  async function ask(): Promise<number> {
    // In words that are the same for every visitor.
    if (!answer && !agreed()) await nudges({ channel, shop, count: "0" });
    if (followed) {
      sender.user = options.user;
      sender.token = local["saleor-nudges"] ?? (await request<Sender>(`${base}session`, {})).token;
      // A page that said stop meanwhile is not stored, and asks nothing more.
      if (visit.over) throw sender;
      local["saleor-nudges"] = sender.token;
      if (options.checkout || /checkout|cart/i.test(page + location.pathname + document.cookie))
        await load("watch")
          .then(({ watch }) => watch(visit, sender, () => agreed() && answer))
          .catch(() => {});
    }
    if (!answer || answer.pollAfter) {
      const shown = view?.shown() ?? [];
      const seen = [session["saleor-nudges-shown"], local["saleor-nudges-closed"]].join();
      answer = await nudges({
        ...sender,
        page,
        product,
        products: listedProducts(options.products),
        category: options.category,
        count: COUNT,
        exclude: seen.split(",").filter((id) => !shown.includes(id)),
        shown,
        languageCode: options["language-code"],
        preview,
      });
      view?.accept(answer, shown);
    }
    // In the same turn: a purchase may be the next thing, and nobody is told of their own.
    const events = [...waiting];
    if (events[0]) {
      await request(`${base}events`, { ...sender, events });
      waiting = waiting.filter((event) => !events.includes(event));
      delete local["saleor-nudges-unsent"];
    }
    failures = 0;
    return answer.pollAfter ?? QUIET;
  }

  /** Asks, and obeys the seller's settings, which come with every answer. */
  async function nudges(parameters: object): Promise<Answer> {
    const known = Object.entries(parameters).filter((parameter) => parameter[1]?.length);
    const answer = await request<Answer>(`${base}nudges?${new URLSearchParams(known)}`);
    const { consentMode } = answer.display;
    // A server in trouble answers, but knows nothing of the seller's wishes.
    if (!consentMode) throw answer;
    if (consentMode !== "OPT_OUT" && !agreed()) visit.stop();
    if (visit.over) throw answer;
    return answer;
  }

  function failed({ status = 500 }: Partial<Response>): number {
    view?.lapse();
    if (followed && status === 401) delete local["saleor-nudges"];
    else if (status < 429) {
      // A server that refuses would refuse again.
      visit.stop();
      delete local["saleor-nudges-unsent"];
    }
    return AGAIN * failures++;
  }

  /** What stands in the page is part of it; a toast comes when it is due. */
  function show(answer: Answer): void {
    const isDue = Date.now() > visit.since + answer.display.initialDelay * 1000;
    if (answer.nudges.some(({ slot }) => isDue || slot === "INLINE"))
      load("view")
        .then(({ createView }) => {
          if (view || visit.over) return;
          view = createView(visit);
          view.accept(answer, []);
        })
        .catch(() => {
          answer.nudges = [];
        });
  }

  /** The page may be gone in a moment. What cannot be sent now waits for the next. */
  function handOver(): void {
    if (sender.token && waiting[0]) {
      if (navigator.onLine && !failures) {
        request(`${base}events`, { ...sender, events: waiting }).catch(() => {});
        waiting = [];
      } else local["saleor-nudges-unsent"] = JSON.stringify(waiting);
    }
  }

  visit.report(product ? "product_viewed" : "page_viewed", { product });
  return visit;
}
