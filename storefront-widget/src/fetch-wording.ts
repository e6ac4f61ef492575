import type { Visit, Wording } from "./types.ts";

/** A nudge does not wait longer for the words around it. */
const PATIENCE = 3_000;

/** The widget's own words in the shopper's language; null where the server does not give them. */
export async function fetchWording({ options, request }: Visit): Promise<Wording | null> {
  const asked = request<Wording>(`words?languageCode=${options["language-code"] ?? ""}`);
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null));
  return Promise.race([asked.catch(() => null), late]);
}
