/** The steps of the clock, largest first, with their length in seconds. */
export const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** "5 minutes ago", in the page's language. A clock that runs behind the server's says "now". */
export function relativeTime(occurredAt: string, now: number, locale?: string): string {
  const seconds = Math.max(0, (now - Date.parse(occurredAt)) / 1000);
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [unit, length] of UNITS) {
    if (seconds >= length) return format.format(-Math.floor(seconds / length), unit);
  }
  return format.format(0, "second");
}
