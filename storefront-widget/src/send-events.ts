import type { Transport } from "./event-queue.ts";
import { MODEST } from "./modest.ts";
import { retryAfter } from "./retry-after.ts";
import type { Options, ShopperEvent } from "./types.ts";
import type { Visitor } from "./visitor.ts";

/** Events to `POST v1/events`, as text/plain: a simple request, which needs no CORS preflight. */
export function eventTransport(options: Options, visitor: Visitor): Transport {
  const address = new URL("v1/events", options.endpoint);
  const body = (events: ShopperEvent[]) => {
    const { channel, shop, checkout, user } = options;
    const sender = { token: visitor.known(), channel, shop, checkout, user };
    const known = Object.entries(sender).filter(([, value]) => value);
    return JSON.stringify({ ...Object.fromEntries(known), events });
  };
  return {
    async send(events) {
      try {
        // keepalive: a batch on its way outlives the page.
        const init: RequestInit = { method: "POST", body: body(events), keepalive: true };
        const response = await fetch(address, { ...MODEST, ...init });
        if (response.status === 401) return visitor.renew() ? 1 : null;
        const busy = response.status === 429 || response.status === 503;
        return busy ? retryAfter(response.headers.get("Retry-After"), 10) : null;
      } catch {
        return 10;
      }
    },
    beacon(events) {
      try {
        navigator.sendBeacon(address, body(events));
      } catch {
        // Switched off or full: views have a declared loss budget.
      }
    },
  };
}
