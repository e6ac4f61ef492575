/** How it looks, by day, by night and from right to left; and what axe finds there. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { WORDS } from "../browser/fixture-server.ts";
import type { Language } from "./shop.ts";
import { press, toastOf } from "./shopper.ts";
import { display, inline, onHosts, type Scene, type Setting, toast } from "./stage.ts";

const FOLDER = "build/screenshots";
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Everything axe knows, best practices too. */
async function violations(page: Page): Promise<string[]> {
  // The shop's policy is not the checker's to keep.
  await page.evaluate(AXE);
  const { violations, passes }: AxeResults = await page.evaluate(() =>
    (window as unknown as { axe: typeof import("axe-core") }).axe.run(document, {
      resultTypes: ["violations"],
    }),
  );
  assert.ok(passes.length > 20, "axe has looked");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

async function picture({ page, host, size }: Scene, name: string): Promise<void> {
  if (!process.env.KEEP_SCREENSHOTS) return;
  mkdirSync(FOLDER, { recursive: true });
  const file = `${host.name} ${size} ${name}`.toLowerCase().replace(/[^a-z]+/g, "-");
  await page.screenshot({ path: `${FOLDER}/${file}.png` });
}

interface Speech {
  title: string;
  text: string;
  beside: string;
  tag: string;
  words: typeof WORDS;
}

const SPEECH: Record<Language, Speech> = {
  en: {
    title: "Oak chair",
    text: "Someone in Lisbon bought this chair.",
    beside: "14 people looked at this in the last hour",
    tag: "Just bought",
    words: { ...WORDS, about: { ORDER: "A purchase in this shop, told without a name." } },
  },
  he: {
    title: "כיסא אלון",
    text: "מישהו בחיפה קנה את הכיסא הזה.",
    beside: "14 אנשים הסתכלו על זה בשעה האחרונה",
    tag: "נקנה עכשיו",
    words: {
      ...WORDS,
      language: "he",
      close: "סגירה",
      why: "למה אני רואה את זה?",
      less: "לא עוד כאלה",
      off: "לא להציג כלום",
      about: { ORDER: "רכישה בחנות הזאת, בלי שם." },
    },
  },
  ar: {
    title: "كرسي بلوط",
    text: "اشترى شخص في القاهرة هذا الكرسي.",
    beside: "شاهد 14 شخصًا هذا المنتج في الساعة الأخيرة",
    tag: "بيع الآن",
    words: {
      ...WORDS,
      language: "ar",
      close: "إغلاق",
      why: "لماذا أرى هذا؟",
      less: "لا مزيد من هذه",
      off: "لا شيء إطلاقًا",
      about: { ORDER: "عملية شراء في هذا المتجر، دون ذكر الاسم." },
    },
  },
};

function speaking(language: Language, more: Setting = {}): Setting {
  const { title, text, beside, tag, words } = SPEECH[language];
  return {
    path: "/products/oak-chair",
    reducedMotion: "reduce",
    ...more,
    prepare(fixture, { shop }) {
      const occurredAt = new Date(Date.now() - 5 * 60_000).toISOString();
      shop.language = language;
      shop.attributes = { "language-code": language.toUpperCase() };
      fixture.words = words;
      fixture.display = display({ theme: "AUTO" });
      fixture.nudges = [
        toast("n0000001", { title, text, tag, occurredAt, href: "/products/oak-chair" }),
        ...[0, 1, 2].map((chair) => inline(`i000000${chair}`, chair, beside)),
      ];
    },
  };
}

for (const colorScheme of ["light", "dark"] as const) {
  onHosts(`nothing for axe to find, ${colorScheme}`, async (open) => {
    const scene = await open(speaking("en", { colorScheme }));
    const { page } = scene;
    await toastOf(page).waitFor();
    await page.locator("[part=inline]").waitFor();
    await picture(scene, `${colorScheme} toast and inline`);
    assert.deepEqual(await violations(page), []);
    await press(scene, WORDS.why);
    await toastOf(page).locator("[part=panel]").waitFor();
    await picture(scene, `${colorScheme} panel`);
    assert.deepEqual(await violations(page), []);
  });
}

onHosts("from right to left, in Hebrew or Arabic", async (open, size) => {
  const language = size === "phone" ? "ar" : "he";
  const scene = await open(speaking(language));
  const { page } = scene;
  const shown = toastOf(page);
  await shown.waitFor();
  const left = async (part: string) =>
    (await shown.locator(`[part=${part}]`).boundingBox())?.x ?? 0;
  // Picture on the right, button on the left, words between them.
  const [image, words, close] = [await left("image"), await left("words"), await left("close")];
  assert.ok(close < words && words < image, `${close} < ${words} < ${image}`);
  assert.equal(await shown.evaluate((toast) => getComputedStyle(toast).direction), "rtl");
  await picture(scene, `${language} toast`);
  await press(scene, SPEECH[language].words.why);
  await shown.locator("[part=panel]").waitFor();
  await picture(scene, `${language} panel`);
  assert.deepEqual(await violations(page), []);
});

onHosts("a list of products looks like one", async (open) => {
  const scene = await open(speaking("en", { path: "/" }));
  await toastOf(scene.page).waitFor();
  await scene.page.locator("[part=inline]").nth(2).waitFor();
  await picture(scene, "list");
  assert.deepEqual(await violations(scene.page), []);
});
