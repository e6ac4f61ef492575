import type { CloseReason, Nudge } from "./types.ts";

/** Who is told of what becomes of a nudge: the page, by events, and the shop, by reports. */
export interface Audience {
  /** False: the page does not want this one shown; it is asked once. */
  showing(nudge: Nudge): boolean;
  /** Counts once, however often it comes by. */
  seen(nudge: Nudge): void;
  /** False: the page goes there by itself. */
  clicked(nudge: Nudge): boolean;
  closed(nudge: Nudge, reason: CloseReason): void;
}

export function createAudience(
  element: HTMLElement,
  report: (kind: string, data: Record<string, unknown>) => void,
): Audience {
  const declined = new Set<string>();
  const seen = new Set<string>();

  function tell(name: string, nudge: Nudge, detail = {}): boolean {
    const init = { bubbles: true, composed: true, cancelable: name !== "nudges:closed" };
    return element.dispatchEvent(new CustomEvent(name, { ...init, detail: { nudge, ...detail } }));
  }

  return {
    showing(nudge) {
      const wanted = !declined.has(nudge.id) && tell("nudges:shown", nudge);
      if (!wanted) declined.add(nudge.id);
      return wanted;
    },
    seen(nudge) {
      if (!seen.has(nudge.id)) report("nudge_viewed", { nudge: nudge.id });
      seen.add(nudge.id);
    },
    clicked(nudge) {
      report("nudge_clicked", { nudge: nudge.id });
      return tell("nudges:clicked", nudge);
    },
    closed(nudge, reason) {
      if (reason === "USER") report("nudge_closed", { nudge: nudge.id });
      tell("nudges:closed", nudge, { reason });
    },
  };
}
