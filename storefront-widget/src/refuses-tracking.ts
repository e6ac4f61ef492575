interface Refusal {
  doNotTrack?: string | null;
  globalPrivacyControl?: boolean;
}

/** True when the browser says that its owner does not want to be followed. */
export function refusesTracking(browser: Refusal): boolean {
  return browser.globalPrivacyControl === true || browser.doNotTrack === "1";
}
