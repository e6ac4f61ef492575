/** The browser's own stores, or memory where they are out of reach. */
export let local: Partial<Storage> = {};
export let session: Partial<Storage> = {};
try {
  local = window.localStorage;
  session = window.sessionStorage;
} catch {}
