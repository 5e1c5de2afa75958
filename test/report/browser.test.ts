/**
 * The HTML report in a real browser: nothing runs or loads, nothing overflows on a phone, everything has a name, and a
 * small run prints on two pages.
 */
import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { renderHtml } from '../../src/report/html.js';
import { GOLDEN, type Golden, reportOf } from './fixtures.js';

/** Debian's package `chromium`; others set the path. */
const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Root needs no-sandbox; the rest keeps the browser from talking to anybody. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** A busy machine takes its time; nothing is measured here. */
const PATIENCE_MS = 240_000;
/** A small phone, a tablet, a desk. */
const WIDTHS = [360, 768, 1280] as const;
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
/** Roles that say nothing to a screen reader without a name. */
const NAMED = new Set(['image', 'table', 'region', 'heading', 'DisclosureTriangle', 'columnheader']);

t.setTimeout(PATIENCE_MS);

/** Everything that the page did beside showing itself. */
const watched = (page: Page): readonly string[] => {
  const seen: string[] = [];
  page.on('console', (message) => seen.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
  page.on('request', (request) => seen.push(`request: ${request.url()}`));
  page.on('dialog', (dialog) => {
    seen.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return seen;
};

const nameless = async (page: Page): Promise<readonly string[]> => {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes
    .filter(({ ignored, role, name }) => !ignored && NAMED.has(String(role?.value)) && !name?.value)
    .map(({ role }) => String(role?.value));
};

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
        const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
        t.equal(wide, 0, `does not overflow at ${width} pixels`);
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

if (!existsSync(EXECUTABLE)) {
  t.pass('no browser', { skip: `skipped: ${EXECUTABLE} is not there (Debian package chromium)` });
} else {
  const { chromium } = await import('playwright-core');
  // A profile directory of its own is made and removed by the driver.
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS, timeout: PATIENCE_MS });
  t.teardown(() => browser.close());
  look(t, browser);
}
