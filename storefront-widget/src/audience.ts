import type { CloseReason, Nudge, Visit } from "./types.ts";

/** Who is told of what becomes of a nudge: the page, by events, and the shop, by reports. */
export interface Audience {
  /** False: the page does not want this one shown; it is asked once. */
  showing(nudge: Nudge): boolean;
  /** Counts once, however often it comes by. */
  seen(nudge: Nudge): void;
  /** False: the page goes there by itself. It is not asked about a link that opens `elsewhere`. */
  clicked(nudge: Nudge, elsewhere: boolean): boolean;
  closed(nudge: Nudge, reason: CloseReason): void;
}

/** `heard` is told of every nudge that leaves, too. */
export function createAudience(
  { element, report }: Pick<Visit, "element" | "report">,
  heard: Audience["closed"],
): Audience {
  const declined = new Set<string>();
  const seen = new Set<string>();

  function tell(name: string, nudge: Nudge, reason?: CloseReason): boolean {
    const detail = { nudge, reason };
    const init = { bubbles: true, composed: true, cancelable: !reason, detail };
    return element.dispatchEvent(new CustomEvent(`nudges:${name}`, init));
  }

  const count = (kind: string, { id }: Nudge) => report(`nudge_${kind}`, { nudge: id });

  return {
    showing(nudge) {
      const wanted = !declined.has(nudge.id) && tell("shown", nudge);
      if (!wanted) declined.add(nudge.id);
      return wanted;
    },
    seen(nudge) {
      if (!seen.has(nudge.id)) count("viewed", nudge);
      seen.add(nudge.id);
    },
    clicked(nudge, elsewhere) {
      count("clicked", nudge);
      return elsewhere || tell("clicked", nudge);
    },
    closed(nudge, reason) {
      if (reason === "USER") count("closed", nudge);
      heard(nudge, reason);
      tell("closed", nudge, reason);
    },
  };
}
