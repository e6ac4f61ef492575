/** In the measured pages, with and without the widget alike: what a shop's own monitoring would see. */
import { onCLS, onINP, onLCP } from "web-vitals";

const vitals = { lcp: 0, cls: 0, inp: 0 };
Object.assign(window, { vitals });
const all = { reportAllChanges: true };
onLCP(({ value }) => {
  vitals.lcp = value;
}, all);
onCLS(({ value }) => {
  vitals.cls = value;
}, all);
onINP(
  ({ value }) => {
    vitals.inp = value;
  },
  { ...all, durationThreshold: 16 },
);
