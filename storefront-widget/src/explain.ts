import { locale } from "./locale.ts";
import { spanOfTime } from "./span-of-time.ts";
import type { Nudge, Wording } from "./types.ts";

/** "We count each visitor once, over the last 24 hours. Counted at Mar 1, 2026, 2:05 PM." */
export function explain(about: string, nudge: Nudge, { language, counted }: Wording): string {
  const { windowSeconds, computedAt } = nudge.evidence ?? {};
  const spoken = locale(language);
  const how = about.replace("{window}", spanOfTime(windowSeconds ?? 0, spoken));
  // What somebody did has its own moment.
  if (nudge.occurredAt || !computedAt) return how;
  const style = { dateStyle: "medium", timeStyle: "short" } as const;
  return `${how} ${counted.replace("{time}", new Date(computedAt).toLocaleString(spoken, style))}`;
}
