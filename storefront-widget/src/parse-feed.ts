import { safeUrl } from "./safe-url.ts";
import type { Display, Feed, Nudge } from "./types.ts";

type Raw = Record<string, unknown>;

const raw = (value: unknown): Raw =>
  typeof value === "object" && value !== null ? (value as Raw) : {};
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] | null =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : null;
const color = (value: unknown): string | null =>
  /^#[0-9a-f]{6}$/i.test(text(value)) ? text(value) : null;
/** One day is the longest that anything here waits: a browser's timers wrap around at 24 days. */
const number = (value: unknown, otherwise: number): number =>
  typeof value === "number" && value >= 0 ? Math.min(value, 86_400) : otherwise;

/** The server's answer, with what we cannot read left out: a newer server must not break an older page. */
export function parseFeed(answer: unknown, base: string): Feed {
  const { nudges, display, withdrawn, pollAfter } = raw(answer);
  const read = Array.isArray(nudges) ? nudges.map((nudge) => parseNudge(raw(nudge), base)) : [];
  return {
    nudges: read.filter((nudge) => nudge !== null),
    display: parseDisplay(raw(display)),
    withdrawn: texts(withdrawn),
    // Never more often than once a second, whatever the server says.
    pollAfter: typeof pollAfter === "number" ? Math.max(1, number(pollAfter, 1)) : null,
  };
}

function parseNudge(nudge: Raw, base: string): Nudge | null {
  const id = text(nudge.id);
  if (!id || !(text(nudge.title) || text(nudge.text))) return null;
  const product = raw(nudge.product);
  const occurredAt = text(nudge.occurredAt);
  return {
    id,
    type: text(nudge.type),
    category: text(nudge.category),
    tag: text(nudge.tag) || null,
    title: text(nudge.title),
    text: text(nudge.text),
    product: text(product.id)
      ? { id: text(product.id), name: text(product.name), slug: text(product.slug) }
      : null,
    image: safeUrl(nudge.image, base),
    href: safeUrl(nudge.href, base),
    occurredAt: Number.isNaN(Date.parse(occurredAt)) ? null : occurredAt,
    showTime: nudge.showTime !== false,
    highlight: color(nudge.highlight),
    evidence: nudge.evidence,
    slot: text(nudge.slot) || "TOAST",
  };
}

/** The defaults only stand in for what a server left out; nothing is shown unless it says `enabled`. */
function parseDisplay(display: Raw): Display {
  const { desktop, mobile } = raw(display.position);
  const { theme } = display;
  return {
    enabled: display.enabled === true,
    position: {
      desktop: desktop === "BOTTOM_RIGHT" ? desktop : "BOTTOM_LEFT",
      mobile: mobile === "TOP" ? mobile : "BOTTOM",
    },
    theme: theme === "LIGHT" || theme === "DARK" ? theme : "AUTO",
    highlight: color(display.highlight),
    initialDelay: number(display.initialDelay, 5),
    gap: number(display.gap, 10),
    duration: number(display.duration, 6),
    maxPerPage: number(display.maxPerPage, 3),
    maxPerSession: number(display.maxPerSession, 10),
    devices: texts(display.devices),
    quietInCheckout: display.quietInCheckout !== false,
    consentMode: parseConsentMode(display),
  };
}

/** A server of before there was a choice does not name the mode; one in trouble names nothing at all. */
function parseConsentMode({ consentMode, position }: Raw): Display["consentMode"] {
  if (consentMode === "OPT_IN" || consentMode === "OPT_OUT") return consentMode;
  return position && consentMode === undefined ? "OPT_OUT" : null;
}
