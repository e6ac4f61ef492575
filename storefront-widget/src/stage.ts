import type { Audience } from "./audience.ts";
import type { Memory } from "./memory.ts";
import type { Display, Visit, Wording } from "./types.ts";

/** What all that shows nudges in one visit shares. */
export interface Stage {
  visit: Visit;
  memory: Memory;
  audience: Audience;
  /** Says a nudge once, politely. Apart from the toast, whose ticking time would be read out again. */
  announcer: HTMLElement;
  /** Asked for once, and not before it is needed. */
  wording(): Promise<Wording | null>;
  mayShow(display: Display): boolean;
  /** The visitor wants no more of this kind, or (without one) of any. */
  turnOff(type?: string): void;
}
