/** An absolute http(s) address, or null: a nudge must not become a `javascript:` link. */
export function safeUrl(address: unknown, base: string): string | null {
  if (typeof address !== "string" || address === "") return null;
  try {
    const url = new URL(address, base);
    return /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
