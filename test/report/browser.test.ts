/**
 * The HTML report in a real browser: nothing runs or loads, nothing overflows on a phone, everything has a name, and a
 * small run prints on two pages.
 */
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { renderHtml } from '../../src/report/html.js';
import { launch, nameless, noBrowser, overflow, PATIENCE_MS, WIDTHS, watched } from './chromium.js';
import { GOLDEN, type Golden, reportOf } from './fixtures.js';

/** Small runs: one to three profiles against one target. */
const SMALL: readonly Golden[] = [
  'open-network',
  'rtp-blocked-outbound',
  'sip-udp-dropped',
  'sip-alg',
  'wifi-calling-blocked',
  'everything-dead',
  'carrier-without-token',
];
t.setTimeout(PATIENCE_MS);

const pagesOf = async (page: Page): Promise<number> => {
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  return pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
};

const look = (t: Tap, browser: Browser): void => {
  for (const name of GOLDEN) {
    t.test(name, async (t) => {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const seen = watched(page);
      await page.setContent(renderHtml(reportOf(name)), { waitUntil: 'load' });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        t.equal(await overflow(page), 0, `does not overflow at ${width} pixels`);
        const cut = await page.evaluate(
          "[...document.querySelectorAll('h1, h2, .answer, .columns, .path, dl, figure')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className || e.tagName)",
        );
        t.same(cut, [], `nothing is cut off at ${width} pixels`);
      }
      t.same(await nameless(page), [], 'a screen reader has a name for everything');
      t.equal(await page.evaluate("document.querySelectorAll('script, img, iframe, link, object, a').length"), 0);
      t.equal(
        await page.evaluate(
          "[...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()).filter((n) => n.startsWith('on')).length",
        ),
        0,
        'no event handler',
      );
      // The first screen of a laptop holds the answer and the first service.
      await page.setViewportSize({ width: 1280, height: 720 });
      const bottom = await page.evaluate("document.querySelector('article header').getBoundingClientRect().bottom");
      t.ok(Number(bottom) <= 720, 'the answer is on the first screen', { bottom });
      await page.emulateMedia({ colorScheme: 'light' });
      const light = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      await page.emulateMedia({ colorScheme: 'dark' });
      const dark = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      t.not(light, dark, 'follows the dark scheme');
      if (SMALL.includes(name)) {
        const pages = await pagesOf(page);
        t.ok(pages >= 1 && pages <= 2, 'prints on two pages', { pages });
      }
      t.same(seen, [], 'ran nothing, fetched nothing, complained of nothing');
      await page.close();
    });
  }
};
type Tap = typeof t;

const missing = noBrowser();
if (missing !== null) {
  t.pass('no browser', { skip: missing });
} else {
  const browser = await launch();
  t.teardown(() => browser.close());
  look(t, browser);
}
