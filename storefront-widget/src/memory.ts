import { type KeptList, keptList } from "./kept-list.ts";
import type { Nudge, Visit } from "./types.ts";

const ALL = "ALL";

/** What is remembered of nudges in this browser. */
export interface Memory {
  /** Those of this visit: none comes twice. */
  shown: KeptList;
  /** Those that the visitor has closed, in earlier visits, too. */
  closed: KeptList;
  /** The visitor wants no more of this kind; without one: of any. */
  turnOff(type?: string): void;
  isOff(nudge: Nudge): boolean;
}

/** Who is not followed still keeps what they chose themselves; a preview keeps nothing. */
export function createMemory({ followed, draft }: Visit): Memory {
  const own = () => (draft ? null : localStorage);
  const off = keptList("saleor-nudges-off", own);
  return {
    shown: keptList("saleor-nudges-shown", () => (followed && !draft ? sessionStorage : null)),
    closed: keptList("saleor-nudges-closed", own),
    turnOff: (type = ALL) => off.add(type),
    isOff: ({ type }) => off.has(type) || off.has(ALL),
  };
}
