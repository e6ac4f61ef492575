/** In the measured pages, with and without the widget alike: what a shop's own monitoring would see. */
import { onCLS, onINP, onLCP } from "web-vitals";

const vitals = { lcp: 0, cls: 0, inp: 0, interactions: {} as Record<number, number> };
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

// Each press, not the slowest alone: of fifteen, that is chance more than anything else.
new PerformanceObserver((list) => {
  for (const { interactionId, duration } of list.getEntries() as PerformanceEventTiming[])
    if (interactionId)
      vitals.interactions[interactionId] = Math.max(
        vitals.interactions[interactionId] ?? 0,
        duration,
      );
}).observe({ type: "event", durationThreshold: 16, buffered: true } as PerformanceObserverInit);
