import type { Device } from "./types.ts";

/** What the shopper holds. An iPad calls itself a Macintosh, but is touched. */
export function device(userAgent: string, touchPoints: number, precise: boolean): Device {
  if (/android/i.test(userAgent)) return "ANDROID";
  if (/iphone|ipad|ipod/i.test(userAgent)) return "IOS";
  if (/macintosh/i.test(userAgent) && touchPoints > 1) return "IOS";
  return precise || /windows|macintosh|linux|cros/i.test(userAgent) ? "DESKTOP" : "OTHER";
}

/** The device this page is open on. */
export function thisDevice(): Device {
  const precise = matchMedia("(hover: hover) and (pointer: fine)").matches;
  return device(navigator.userAgent, navigator.maxTouchPoints, precise);
}
