/** A UUIDv7 (RFC 9562) in bare hex: 48 bits of time, then chance. The server tells repeated events by it. */
export const uuid7 = (): string =>
  // Decimal digits are hex as well; the first of the last sixteen is the variant.
  `0${Date.now().toString(16)}7000${(8 + Math.random()).toFixed(15).replace(".", "")}`;
