import { KEY as SHOWN } from "./shown-nudges.ts";
import type { SaleorNudges } from "./types.ts";
import { KEY as VISITOR } from "./visitor.ts";

const members = new Set<SaleorNudges>();
/** What the page called last: `resume()`, `stop()` or (null) nothing. */
let wanted: boolean | null = null;

/** The elements on this page, and what the page has told them. */
export const running = {
  add: (member: SaleorNudges) => void members.add(member),
  remove: (member: SaleorNudges) => void members.delete(member),
  stopped: () => wanted === false,
  /** The page says that its visitor agreed. */
  agreed: () => wanted === true,
};

/** `window.saleorNudges`: speaks to the elements on the page; what one reports is reported once. */
export const saleorNudges: SaleorNudges = {
  track(kind, data) {
    const [first] = members;
    first?.track(String(kind), data);
  },
  stop(how) {
    wanted = false;
    for (const member of members) member.stop();
    if (how?.forget) forget();
  },
  resume() {
    wanted = true;
    for (const member of members) member.resume();
  },
};

function forget(): void {
  try {
    localStorage.removeItem(VISITOR);
    sessionStorage.removeItem(SHOWN);
  } catch {
    // Out of reach: then nothing was stored there either.
  }
}

/** Tells a page that waits for us, a consent tool above all, that it can speak to us now. */
export function makeReady(): void {
  window.saleorNudges = saleorNudges;
  document.dispatchEvent(new Event("nudges:ready"));
}
