import type { Store } from "./store.ts";

export const KEY = "saleor-nudges-shown";
/** As many as one request may leave out. */
const CAP = 200;

/** The nudges that this visit has seen: none comes twice. */
export interface ShownNudges {
  ids(): string[];
  has(id: string): boolean;
  add(id: string): void;
}

export function shownNudges(store: Store): ShownNudges {
  const ids = () => (store.get(KEY) ?? "").split(",").filter(Boolean);
  return {
    ids,
    has: (id) => ids().includes(id),
    add: (id) => store.set(KEY, [...ids().filter((seen) => seen !== id), id].slice(-CAP).join(",")),
  };
}
