import { MODEST } from "./modest.ts";
import type { Options, Wording } from "./types.ts";

/** A nudge does not wait longer for the words around it. */
const PATIENCE = 3_000;

/** The widget's own words in the shopper's language; null where the server does not give them. */
export async function fetchWording(options: Options): Promise<Wording | null> {
  try {
    const init = { ...MODEST, signal: AbortSignal.timeout(PATIENCE) };
    const address = `${options.endpoint.replace(/\/?$/, "/")}v1/words?languageCode=`;
    const response = await fetch(address + (options["language-code"] ?? ""), init);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
