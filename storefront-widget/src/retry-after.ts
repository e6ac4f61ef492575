/** No server keeps a shopper's page waiting for longer than five minutes. */
const LONGEST = 300;

/** Seconds to wait, from a Retry-After header in either of its two forms. */
export function retryAfter(header: string | null, otherwise: number, now = Date.now()): number {
  const seconds = Number(header) || (Date.parse(header ?? "") - now) / 1000;
  return Number.isNaN(seconds) ? otherwise : Math.min(LONGEST, Math.max(1, seconds));
}
