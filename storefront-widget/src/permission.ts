import { fetchDisplay } from "./fetch-nudges.ts";
import type { Options } from "./types.ts";

/**
 * Whether the seller's settings let a visitor be asked about who has not agreed: true, or null where
 * they do not, or the seconds after which to ask again. The request is the same for everybody.
 */
export async function permission(
  options: Options,
  signal: AbortSignal,
): Promise<true | number | null> {
  const answer = await fetchDisplay(options, signal);
  if ("feed" in answer) return answer.feed.display.consentMode === "OPT_OUT" || null;
  return typeof answer.retryIn === "number" ? answer.retryIn : null;
}
