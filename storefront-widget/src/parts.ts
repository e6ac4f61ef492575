import type { Sender, View, Visit } from "./types.ts";

/** What is loaded when there is need; each way in knows where it lies. */
export interface Parts {
  view: { createView(visit: Visit): View };
  watch: { watch(visit: Visit, sender: Sender, agreed: () => unknown): Promise<void> };
}

export type Load = <Name extends keyof Parts>(name: Name) => Promise<Parts[Name]>;
