import { element } from "./element.ts";
import { locale } from "./locale.ts";
import { relativeTime } from "./relative-time.ts";
import type { Display, Nudge } from "./types.ts";

/** Often enough that "1 minute ago" is never wrong by much. */
const TICK = 10_000;

/** What a nudge says, wherever it stands. */
export interface Words {
  words: HTMLElement;
  /** Around the first line; without an address where the nudge leads nowhere. */
  link: HTMLAnchorElement;
  /** The same nudge as the server tells it now; what has the focus keeps it. */
  update(nudge: Nudge): void;
  /** It is shown no longer: its time stands still. */
  end(): void;
}

/** Draws the words of a nudge into `around`, which also takes its colour. */
export function drawWords(
  around: HTMLElement,
  nudge: Nudge,
  display: Display,
  languageCode: string | undefined,
): Words {
  const tag = element("div", "tag");
  const title = element("div", "title");
  const text = element("div", "text");
  const time = element("time", "time");
  const words = element("div", "words", tag, title, text, time);
  // The first line is the link; the style sheet stretches it over the whole toast.
  const link = element("a", "link");
  const [titled, told] = nudge.title ? [link, text] : [title, link];
  (nudge.title ? title : text).append(link);
  around.append(words);

  const language = locale(languageCode ?? document.documentElement.lang);
  let at: string | null = null;
  const tick = () => {
    time.textContent = at && relativeTime(at, Date.now(), language);
  };
  const ticking = setInterval(tick, TICK);

  function update(nudge: Nudge): void {
    around.style.setProperty("--seller-highlight", nudge.highlight ?? display.highlight);
    if (nudge.href) link.href = nudge.href;
    tag.textContent = nudge.tag;
    titled.textContent = nudge.title;
    told.textContent = nudge.text;
    at = nudge.showTime ? nudge.occurredAt : null;
    time.dateTime = at ?? "";
    tick();
  }

  update(nudge);
  return { words, link, update, end: () => clearInterval(ticking) };
}
