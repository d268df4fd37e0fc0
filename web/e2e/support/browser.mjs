import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { chromiumPath, email, password, patience, url } from './config.mjs';

const { AxeBuilder } = createRequire(import.meta.url)('@axe-core/playwright');

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser;
let signedInState;

before(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath, args: flags });
});
after(() => browser?.close());

export const views = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 380, height: 800 }, colorScheme: 'light', hasTouch: true, isMobile: true },
  darkPhone: { viewport: { width: 380, height: 800 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
};

/** The cookies of a browser that has signed in through the page, once per run. */
async function cookies() {
  if (!signedInState) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${url}/login`);
    await page.fill('[name="email"]', email);
    await page.fill('[name="password"]', password);
    await page.click('button[type="submit"]');
    await page.waitForURL(`${url}/`, { timeout: patience });
    signedInState = await context.storageState();
    await context.close();
  }
  return signedInState;
}

/**
 * A test with a page of its own. It fails as well when the page reports an error or breaks the content
 * security policy. Options: `anonymous`, `view` (light, dark, phone), `allow` (patterns of expected messages).
 */
export function pageTest(name, { anonymous = false, view = 'light', allow = [] } = {}, run = undefined) {
  test(name, async (t) => {
    const storageState = anonymous ? undefined : await cookies();
    const context = await browser.newContext({
      ...views[view],
      baseURL: url,
      storageState,
      reducedMotion: 'reduce',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    const problems = watch(page, allow);
    try {
      await run(page, context, t);
      assert.deepEqual(problems, [], 'the page reported problems');
    } catch (error) {
      if (process.env.XR2_E2E_SHOTS && !page.isClosed()) {
        const shot = page.screenshot({ path: `${process.env.XR2_E2E_SHOTS}/${name.replace(/\W+/g, '-')}.png` });
        // A page that is stuck shows nothing; what went wrong is the other error.
        await shot.catch(() => {});
      }
      throw error;
    } finally {
      await context.close();
    }
  });
}

/** Collects what a page should never say: uncaught errors and blocked content. */
function watch(page, allow) {
  const problems = [];
  const note = (text) => {
    // A refused request is part of many tests; the pages say what it means.
    if (/Failed to load resource/.test(text)) return;
    if (allow.some((pattern) => pattern.test(text))) return;
    problems.push(text);
  };
  page.on('pageerror', (error) => note(String(error)));
  page.on('console', (message) => message.type() === 'error' && note(message.text()));
  return problems;
}

/** Fails with the list of what an automatic check of accessibility finds. */
export async function expectAccessible(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map((node) => node.target.join(' ')).join(', ')}`,
  );
  assert.deepEqual(found, [], `accessibility of ${page.url()}`);
}

/** Fails when the page is wider than the screen. */
export async function expectNoSidewaysScroll(page) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${page.url()} is ${over} pixels wider than the screen`);
}

/** Waits until a condition in the page holds. */
export function until(page, condition, argument) {
  return page.waitForFunction(condition, argument, { timeout: patience });
}


