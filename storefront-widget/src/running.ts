import type { SaleorNudges } from "./types.ts";

const members = new Set<SaleorNudges>();
let held = false;

/** The elements on this page, and whether the page has told them to stand still. */
export const running = {
  add: (member: SaleorNudges) => void members.add(member),
  remove: (member: SaleorNudges) => void members.delete(member),
  stopped: () => held,
};

/** `window.saleorNudges`: speaks to the elements on the page; what one reports is reported once. */
export const saleorNudges: SaleorNudges = {
  track(kind, data) {
    const [first] = members;
    first?.track(String(kind), data);
  },
  stop() {
    held = true;
    for (const member of members) member.stop();
  },
  resume() {
    held = false;
    for (const member of members) member.resume();
  },
};
