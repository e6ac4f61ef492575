import { UNITS } from "./relative-time.ts";

/** "24 hours", "60 minutes": in the largest unit of which it has two, as sentences want a plural. */
export function spanOfTime(seconds: number, locale?: string): string {
  const [unit, length] = UNITS.find(([, length]) => seconds >= 2 * length) ?? ["second", 1];
  const style = { style: "unit", unit, unitDisplay: "long" } as const;
  return new Intl.NumberFormat(locale, style).format(Math.round(seconds / length));
}
