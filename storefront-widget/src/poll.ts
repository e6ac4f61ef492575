/** However quick the server is, and however late its answer was. */
const LEAST = 1_000;

/**
 * Asks again and again while the page is looked at: this is how the server knows that somebody
 * looks. `ask` resolves to the seconds from its beginning to the next, or null for never again.
 */
export function poll(ask: () => Promise<number | null>, signal: AbortSignal): void {
  let due: number | null = performance.now();
  let handle: ReturnType<typeof setTimeout> | undefined;

  async function run(): Promise<void> {
    due = null;
    const began = performance.now();
    const after = await ask();
    if (after === null || signal.aborted) return;
    due = after === 0 ? 0 : Math.max(began + after * 1000, performance.now() + LEAST);
    look();
  }

  /** The clock goes on in a tab behind: who comes back sees at once what is still true. */
  function look(): void {
    clearTimeout(handle);
    if (due === null || document.hidden || signal.aborted) return;
    handle = setTimeout(run, Math.max(0, due - performance.now()));
  }

  document.addEventListener("visibilitychange", look, { signal });
  signal.addEventListener("abort", () => clearTimeout(handle), { once: true });
  look();
}
