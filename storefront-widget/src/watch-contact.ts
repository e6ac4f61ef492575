import type { Visit } from "./types.ts";

/** Reports an address that was typed in full, each once, while it may be told. */
export function watchContact(visit: Visit, mayTell: () => unknown): void {
  const told = new Set<string>();
  document.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    const { type, value, validity } = target;
    const email = type === "email" && value.trim();
    // Not checkValidity(), which would show the shop's own complaints.
    if (!email || !validity.valid || told.has(email) || visit.over || !mayTell()) return;
    told.add(email);
    visit.report("checkout_contact_known", { data: { email, agreed: true } });
  });
}
