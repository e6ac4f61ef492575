import { now } from "./now.ts";
import type { Load } from "./parts.ts";
import { keep, local, openStores, session } from "./stores.ts";
import type { Answer, Options, Sender, ShopperEvent, View, Visit } from "./types.ts";
import { uuid7 } from "./uuid7.ts";

/** As many events as the server takes at once, and as a page or a browser keeps of them. */
const MOST_EVENTS = 100;
/** More than a page shows as toasts, so that what must be left out leaves enough. */
const COUNT = "10";
/** Seconds: what a server that was away is given more each time, before it is asked again. */
const AGAIN = 10;
/** Seconds that events wait for each other where there is nothing to ask. */
const QUIET = 5;
/** Seconds: an answer that takes longer is not waited for. */
const PATIENCE = 30;
/** Seconds: a server is not left alone for longer, whatever it asks for. */
const LONGEST = 3600;

/** A visit to one page, as the loader goes through it. */
export interface Begun extends Visit {
  /** Does what is due by now; called a few times a second. */
  tick(): void;
  /** The page wants nothing more of us: nothing leaves it after this. `tell`: but what waits does. */
  end(tell?: unknown): undefined;
}

/** Brings it all together: who visits, what to ask, when to show, what to report. */
export function beginVisit(
  element: HTMLElement,
  options: Options,
  preview: string | null,
  agreed: () => unknown,
  load: Load,
): Begun {
  const { channel, shop, page, product } = options;
  const followed = !preview && !navigator.globalPrivacyControl && navigator.doNotTrack !== "1";
  const base = options.endpoint.replace(/\/?$/, "/v1/");
  const sender: Sender = { channel, shop };
  if (!local) openStores();
  let waiting: ShopperEvent[] = [];
  let answer: Answer | undefined;
  let view: View | undefined;
  let failures = 0;
  let due = 0;

  const visit: Begun = {
    element,
    options,
    followed,
    draft: preview,
    request,
    over: false,
    since: now(),
    report(kind, data) {
      if (followed && !visit.over && !waiting[MOST_EVENTS - 1])
        // As it is now. What cannot be sent throws here, where it holds up nothing else.
        waiting.push(
          JSON.parse(JSON.stringify({ ...data, id: uuid7(), kind, page, channel, at: new Date() })),
        );
    },
    tick() {
      if (view) view.update();
      else if (answer?.nudges[0] && now() > visit.since + answer.display.initialDelay) open();
      if (document.hidden) handOver();
      else if (navigator.onLine && !visit.over && now() > due) {
        due = now() + PATIENCE;
        ask()
          .catch(failed)
          .then((seconds) => (due = now() + seconds));
      }
    },
    end(tell) {
      if (tell) handOver();
      view?.end();
      visit.over = true;
      waiting = [];
    },
  };

  /** One turn of the heartbeat; resolves to the seconds to the next. */
  async function ask(): Promise<number> {
    // In words that are the same for every visitor.
    if (!answer && !agreed()) await nudges({ channel, shop, count: "0" });
    // What stands in the page is part of it, and its code knows where there is room.
    if (document.querySelector("[data-saleor-nudges-product]")) await open();
    if (followed) {
      sender.user = options.user;
      sender.token = local["saleor-nudges"] || (await request<Sender>("session", {})).token;
      try {
        if (options.checkout || /checkout|cart/i.test(page + location.pathname + document.cookie))
          await (await load("watch")).watch(visit, sender, () => agreed() && answer);
      } catch {}
    }
    // A page that said stop meanwhile is not stored, and asks nothing more.
    if (visit.over) throw sender;
    if (followed) {
      keep("saleor-nudges", sender.token as string);
      takeUnsent();
    }
    if (!answer || answer.pollAfter) {
      // A draft is told nothing of whoever looks.
      const exclude = preview
        ? ""
        : [session["saleor-nudges-shown"], local["saleor-nudges-closed"]].join();
      answer = await nudges({
        ...sender,
        page,
        product,
        category: options.category,
        count: COUNT,
        exclude,
        languageCode: options["language-code"],
        preview,
        ...view?.asks(exclude),
      });
      view?.accept(answer);
    }
    // In the same turn: a purchase may be the next thing, and nobody is told of their own.
    const events = [...waiting];
    if (events[0]) {
      await request("events", { ...sender, events });
      waiting = waiting.filter((event) => !events.includes(event));
    }
    failures = 0;
    return answer.pollAfter ?? QUIET;
  }

  /** Asks, and obeys the seller's settings, which come with every answer. */
  async function nudges(parameters: object): Promise<Answer> {
    const known = Object.entries(parameters).filter((parameter) => parameter[1]?.length);
    const answer = await request<Answer>(`nudges?${new URLSearchParams(known)}`);
    const { consentMode } = answer.display;
    // A server in trouble answers, but knows nothing of the seller's wishes.
    if (!consentMode) throw answer;
    if (consentMode !== "OPT_OUT" && !agreed()) visit.end();
    if (visit.over) throw answer;
    return answer;
  }

  function failed({ status = 500, headers }: Partial<Response>): number {
    view?.lapse();
    // Not removed: that would tell the other tabs to forget the visitor.
    if (followed && status === 401) keep("saleor-nudges", "");
    // A server that refuses would refuse again.
    else if (status < 429) visit.end();
    const wait = +(headers?.get("Retry-After") ?? 0);
    return AGAIN * failures++ + (wait < LONGEST ? wait : 0);
  }

  /** Brings what can be seen: at once for what stands in the page, else when a toast is due. */
  async function open(): Promise<void> {
    try {
      const { createView } = await load("view");
      if (view || visit.over) return;
      view = createView(visit);
      view.accept(answer);
    } catch {
      // Not tried twice a second.
      if (answer) answer.nudges = [];
    }
  }

  /** What the server answers; rejects with its refusal, or with why there is no answer. */
  async function request<Given>(what: string, body?: object): Promise<Given> {
    const response = await fetch(base + what, {
      // No cookies, and not the page's address, which in a checkout is a secret that must not be
      // told, not even to the shop's own server.
      credentials: "omit",
      referrer: "",
      // A plain string is sent as text/plain: a request that needs no CORS preflight.
      // What is told goes on its way though the page may be gone; a beacon would tell its address.
      method: body && "POST",
      keepalive: !!body,
      body: JSON.stringify(body),
    } as RequestInit);
    if (!response.ok) throw response;
    return response.json();
  }

  /** The page may be gone in a moment. What cannot be sent now waits for the next, of any tab. */
  function handOver(): void {
    if (sender.token && waiting[0]) {
      if (navigator.onLine && !failures)
        request("events", { ...sender, events: waiting }).catch(failed);
      else {
        takeUnsent();
        keep("saleor-nudges-unsent", JSON.stringify(waiting));
      }
      waiting = [];
    }
  }

  /** What no page could send goes first, and from this one alone. Anybody may have written there. */
  function takeUnsent(): void {
    try {
      const kept: ShopperEvent[] = JSON.parse(local["saleor-nudges-unsent"] as string);
      waiting = [...kept.filter((event) => event?.id), ...waiting].slice(0, MOST_EVENTS);
    } catch {}
    delete local["saleor-nudges-unsent"];
  }

  visit.report(product ? "product_viewed" : "page_viewed", { product });
  return visit;
}
