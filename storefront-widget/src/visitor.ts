import { MODEST } from "./modest.ts";
import type { Store } from "./store.ts";

export const KEY = "saleor-nudges";
/** A token this close to its end is changed for a fresh one first, so that none expires on a page. */
const EARLY = 60 * 60 * 1000;

interface Session {
  token: string;
  expiresAt: string;
}

/** The anonymous visitor on this page. */
export interface Visitor {
  /** The token once there is one; null when the server gives none, or the visitor wants none. */
  token(): Promise<string | null>;
  /** The token if it is here already: a page that goes away cannot wait. */
  known(): string | null;
  /** The server did not take the token. True: another is being asked for. Once on a page. */
  renew(): boolean;
}

/** Whom nothing is known of, by their own wish. */
export const stranger: Visitor = {
  token: () => Promise.resolve(null),
  known: () => null,
  renew: () => false,
};

export function createVisitor(endpoint: string, store: Store, signal: AbortSignal): Visitor {
  let known: string | null = null;
  let renewed = false;
  const get = async () => {
    known = await visitorToken(endpoint, store, signal);
    return known;
  };
  let token = get();
  return {
    token: () => token,
    known: () => known,
    renew() {
      if (renewed) return false;
      renewed = true;
      distrustToken(store);
      token = get();
      return true;
    },
  };
}

/** The token kept in the shop's own storage, or a fresh one; null when the server gives none. */
export async function visitorToken(
  endpoint: string,
  store: Store,
  signal: AbortSignal,
): Promise<string | null> {
  const kept = parseSession(store.get(KEY));
  if (kept && Date.parse(kept.expiresAt) - EARLY > Date.now()) return kept.token;
  try {
    // A plain string is sent as text/plain: a request that needs no CORS preflight.
    const body = JSON.stringify(kept ? { token: kept.token } : {});
    const init: RequestInit = { method: "POST", body, signal };
    const address = new URL("v1/session", endpoint);
    const response = await fetch(address, { ...MODEST, ...init });
    const fresh = response.ok ? parseSession(await response.text()) : null;
    if (fresh) store.set(KEY, JSON.stringify(fresh));
    return fresh?.token ?? null;
  } catch {
    return null;
  }
}

/** Over before its time: a fresh one is asked for, for the same visitor if the server still knows it. */
function distrustToken(store: Store): void {
  const kept = parseSession(store.get(KEY));
  if (kept) store.set(KEY, JSON.stringify({ ...kept, expiresAt: new Date(0).toISOString() }));
}

function parseSession(json: string | null): Session | null {
  try {
    const { token, expiresAt } = JSON.parse(json || "null") ?? {};
    if (typeof token !== "string" || Number.isNaN(Date.parse(expiresAt))) return null;
    return { token, expiresAt };
  } catch {
    return null;
  }
}
