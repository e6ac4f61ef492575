/** True while the shopper is busy in a modal dialog or in full screen: not the moment for a nudge. */
export function dialogOpen(): boolean {
  return document.querySelector(":modal") !== null;
}
