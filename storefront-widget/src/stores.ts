/** The browser's own stores, or memory where they are out of reach. */
export let local: Partial<Storage> = {};
export let session: Partial<Storage> = {};

/** Reaches for them: not while the page loads, as it would wait for the browser's disk. */
export function openStores(): void {
  try {
    local = localStorage;
    session = sessionStorage;
  } catch {}
}
