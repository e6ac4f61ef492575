import type { Feed, Nudge } from "./types.ts";

/** A way on the web, or within this shop: a nudge must not become a `javascript:` link. */
const LINK = /^(https?:|[./?#]|[^:]+$)/i;

/**
 * The server's answer. Its values are whole and clean, so only what could do harm is looked at;
 * null: that was no answer of ours.
 */
export function readFeed(answer: unknown): Feed | null {
  const feed = answer as Feed | null;
  if (!feed?.display?.position || !Array.isArray(feed.nudges)) return null;
  const nudges = feed.nudges.filter(canBeTold).map((nudge) => ({
    ...nudge,
    // A heading that the sentence repeats is none.
    title: `${nudge.text}`.includes(nudge.title) ? "" : nudge.title,
    href: LINK.test(nudge.href ?? "") ? nudge.href : null,
  }));
  return { ...feed, nudges };
}

function canBeTold(nudge: Nudge | null): boolean {
  return typeof nudge?.id === "string" && !!(nudge.title || nudge.text);
}
