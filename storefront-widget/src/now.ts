/** Seconds since the page began: a clock that nobody sets back. */
export const now = (): number => performance.now() / 1000;
