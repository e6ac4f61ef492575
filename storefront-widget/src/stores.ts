/**
 * The browser's own stores, or the page's memory where they are full or out of reach; undefined
 * before `openStores()`.
 */
export let local: Record<string, string>;
export let session: Record<string, string>;

/** Reaches for them: not while the page loads, as it would wait for the browser's disk. */
export function openStores(): void {
  try {
    // Web views may have none.
    local = localStorage ?? {};
    session = sessionStorage ?? {};
  } catch {
    local = session = {};
  }
}

/** What a full store does not take, the page remembers. */
export function keep(name: string, value: string): void {
  try {
    local[name] = value;
  } catch {
    local = { ...local, [name]: value };
  }
}
