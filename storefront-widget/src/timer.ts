/** A timer that stands still while `paused()` holds. */
export interface Timer {
  /** Call whenever the answer of `paused()` may have changed. */
  update(): void;
  cancel(): void;
}

export function createTimer(ms: number, paused: () => boolean, done: () => void): Timer {
  let left = ms;
  let over = false;
  let startedAt = 0;
  let handle: ReturnType<typeof setTimeout> | undefined;

  function stand(): void {
    if (handle === undefined) return;
    clearTimeout(handle);
    handle = undefined;
    left -= performance.now() - startedAt;
  }

  function fire(): void {
    over = true;
    done();
  }

  const timer: Timer = {
    update() {
      if (over) return;
      if (paused()) stand();
      else if (handle === undefined) {
        startedAt = performance.now();
        handle = setTimeout(fire, Math.max(0, left));
      }
    },
    cancel() {
      over = true;
      clearTimeout(handle);
    },
  };
  timer.update();
  return timer;
}
