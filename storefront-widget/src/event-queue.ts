import type { ShopperEvent } from "./types.ts";

/** A batch this full goes at once: small enough for sendBeacon's 64 KiB and the server's hundred. */
const BATCH = 20;
/** What happens together is sent together: the time of quiet after which a batch goes. */
const IDLE = 2_000;
/** A server that is away must not fill the page's memory. */
const LIMIT = 200;

export interface EventQueue {
  add(event: ShopperEvent): void;
  /** Hands all that waits to the browser: the page may be gone in a moment. */
  leave(): void;
  /** Forgets all that waits; nothing leaves any more. */
  drop(): void;
}

/** How batches leave. `send` resolves to seconds after which to try once more, or null when done. */
export interface Transport {
  send(events: ShopperEvent[]): Promise<number | null>;
  beacon(events: ShopperEvent[]): void;
}

/** Gathers events into batches. A batch refused for the moment is tried once more, then dropped. */
export function createEventQueue({ send, beacon }: Transport): EventQueue {
  let waiting: ShopperEvent[] = [];
  let refused: ShopperEvent[] = [];
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function later(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(flush, ms);
  }

  async function flush(): Promise<void> {
    timer = undefined;
    const again = refused.length > 0;
    const batch = again ? refused : waiting.splice(0, BATCH);
    refused = [];
    if (batch.length === 0) return;
    const retryIn = await send(batch);
    if (over) return;
    if (retryIn !== null && !again) {
      refused = batch;
      later(retryIn * 1000);
    } else if (waiting.length > 0) later(IDLE);
  }

  return {
    add(event) {
      if (over || waiting.length >= LIMIT) return;
      waiting.push(event);
      // A refused batch sets the pace: what comes meanwhile waits behind it.
      if (refused.length === 0) later(waiting.length < BATCH ? IDLE : 0);
    },
    leave() {
      const all = [...refused, ...waiting];
      clearTimeout(timer);
      waiting = [];
      refused = [];
      for (let i = 0; i < all.length; i += BATCH) beacon(all.slice(i, i + BATCH));
    },
    drop() {
      over = true;
      clearTimeout(timer);
      waiting = [];
      refused = [];
    },
  };
}
