/** Runs once the page is really looked at: not while it is prepared, nor in a tab behind. */
export function whenVisible(signal: AbortSignal, run: () => void): void {
  if (!document.hidden) {
    run();
    return;
  }
  const look = () => whenVisible(signal, run);
  document.addEventListener("visibilitychange", look, { once: true, signal });
}
