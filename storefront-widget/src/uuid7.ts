/** A UUIDv7 (RFC 9562) in bare hex: 48 bits of time, then chance. The server tells repeated events by it. */
export const uuid7 = (): string =>
  crypto
    .getRandomValues(new Uint8Array(19))
    .reduce(
      (id, byte, at) => id + (at === 3 ? 8 : byte % 16).toString(16),
      `0${Date.now().toString(16)}7`,
    );
