/** A timer that stands still while `paused()` holds, as a rule while nobody looks at the page. */
export interface Timer {
  /** Call now and then: the answer of `paused()` may have changed. */
  update(): void;
  cancel(): void;
}

export function createTimer(
  ms: number,
  done: () => void,
  paused: () => boolean | undefined = () => document.hidden,
): Timer {
  let left = ms;
  let over = false;
  let startedAt: number | null = null;
  let handle: ReturnType<typeof setTimeout> | undefined;

  function cancel(): void {
    over = true;
    clearTimeout(handle);
  }

  function fire(): void {
    if (paused()) {
      // Since the last update.
      update();
      return;
    }
    over = true;
    done();
  }

  function update(): void {
    if (over) return;
    clearTimeout(handle);
    const now = performance.now();
    if (startedAt !== null) left -= now - startedAt;
    startedAt = paused() ? null : now;
    if (startedAt !== null) handle = setTimeout(fire, left);
  }

  update();
  return { update, cancel };
}
