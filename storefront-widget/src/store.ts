/** The little of Storage that the widget needs. */
export interface Store {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

/** A store that forgets with the page. */
export function memoryStore(): Store {
  const kept = new Map<string, string>();
  return { get: (key) => kept.get(key) ?? null, set: (key, value) => void kept.set(key, value) };
}

/** The browser's own storage, or memory where it is full, switched off or out of reach. */
export function browserStore(open: () => Storage): Store {
  const memory = memoryStore();
  return {
    get(key) {
      try {
        return memory.get(key) ?? open().getItem(key);
      } catch {
        return memory.get(key);
      }
    },
    set(key, value) {
      try {
        open().setItem(key, value);
      } catch {
        memory.set(key, value);
      }
    },
  };
}
