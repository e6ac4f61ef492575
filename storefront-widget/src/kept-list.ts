/** A list of names that the browser keeps, newest last. */
export interface KeptList {
  has(name: string): boolean;
  size(): number;
  add(name: string): void;
}

/** As many as a request may leave out, with what was shown and what was closed in one. */
const MOST = 100;

/** Where `open` gives no storage, or one that is full or out of reach, the list ends with the page. */
export function keptList(key: string, open: () => Storage | null): KeptList {
  let memory: string | null = null;

  // Anew each time: another tab, or the page, may have changed it.
  function names(): string[] {
    let kept = memory;
    try {
      kept = open()?.getItem(key) ?? memory;
    } catch {
      // Out of reach.
    }
    return kept ? kept.split(",") : [];
  }

  return {
    has: (name) => names().includes(name),
    size: () => names().length,
    add(name) {
      const list = names().filter((other) => other !== name);
      memory = [...list, name].slice(-MOST).join(",");
      try {
        (open() as Storage).setItem(key, memory);
        memory = null;
      } catch {
        // None, or full: then it is only in memory.
      }
    },
  };
}
