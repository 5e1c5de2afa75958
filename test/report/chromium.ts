/** A real browser for tests of pages: how it is started, and what is asked of every page. */
import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';

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
export const PATIENCE_MS = 240_000;
/** A small phone, a tablet, a desk. */
export const WIDTHS = [360, 768, 1280] as const;
/** Roles that say nothing to a screen reader without a name. */
const NAMED = new Set(['image', 'table', 'region', 'heading', 'DisclosureTriangle', 'columnheader']);

/** Everything that a page does beside showing itself. */
export const watched = (page: Page): readonly string[] => {
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

/** Roles of whatever a screen reader would have no name for. */
export const nameless = async (page: Page): Promise<readonly string[]> => {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes
    .filter(({ ignored, role, name }) => !ignored && NAMED.has(String(role?.value)) && !name?.value)
    .map(({ role }) => String(role?.value));
};

/** How many pixels the page is wider than its window. */
export const overflow = async (page: Page): Promise<number> =>
  Number(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'));

/** Why there is no browser, or null. */
export const noBrowser = (): string | null =>
  existsSync(EXECUTABLE) ? null : `skipped: ${EXECUTABLE} is not there (Debian package chromium)`;

/** A browser with a profile directory of its own, which the driver makes and removes. */
export const launch = async (): Promise<Browser> => {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS, timeout: PATIENCE_MS });
};
