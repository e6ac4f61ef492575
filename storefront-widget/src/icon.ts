const SVG = "http://www.w3.org/2000/svg";

/** Line drawings on a grid of 24, for nudges without a picture; one for each category. */
const PATHS: Record<string, string> = {
  // A shopping bag.
  RECENT_PURCHASE: "M6 8h12l1 12H5L6 8Zm3 0V7a3 3 0 0 1 6 0v1",
  // An eye.
  POPULARITY:
    "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6",
  // A line that climbs.
  RECENT_SUMMARY: "M3.5 16.5 9 11l4 4 7.5-7.5M15 7.5h5.5V13",
  // An hourglass.
  FRICTION: "M7 3.5h10M7 20.5h10M8 3.5V7l4 5 4-5V3.5M8 20.5V17l4-5 4 5v3.5",
  CLOSE: "M7 7l10 10M17 7 7 17",
};

/** One drawing, in the colour of the text around it and unknown to screen readers. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.RECENT_SUMMARY ?? "");
  svg.append(path);
  return svg;
}
