/**
 * What the browser tests share: a browser, a signed-in page that collects its errors, calls of the API
 * with the same session, and the accessibility check.
 *
 * The server is given by XR2_TEST_URL with an account in XR2_TEST_EMAIL and XR2_TEST_PASSWORD; CHROMIUM
 * names the browser's executable.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

export const url = given('XR2_TEST_URL').replace(/\/$/, '');

function given(name) {
  const value = process.env[name];
  assert.ok(value, `the browser tests want ${name}`);
  return value;
}

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** A browser context that is signed in, in the given colours and width. */
export async function signIn(browser, { scheme = 'light', width = 1280, height = 900 } = {}) {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(10_000);
  await request(context, 'POST', '/auth/login', {
    email: given('XR2_TEST_EMAIL'),
    password: given('XR2_TEST_PASSWORD'),
  });
  return context;
}

/** A call of the API with the context's session. Answers the envelope's data; other answers fail. */
export async function request(context, method, path, data) {
  const answer = await context.request.fetch(`${url}/api/v1${path}`, { method, data, headers: { origin: url } });
  const body = await answer.json();
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${JSON.stringify(body.error)}`);
  return body.data;
}

/** A page that fails the test when a script throws or the content security policy is violated. */
export async function openPage(context, path) {
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => {
    if (/content security policy|violates the following/i.test(message.text())) page.problems.push(message.text());
  });
  await page.goto(path);
  return page;
}

/** A published prompt of its own for a test. */
export function makePrompt(context, input = {}) {
  const slug = `e2e-${randomBytes(5).toString('hex')}`;
  return request(context, 'POST', '/prompts', {
    slug,
    title: 'Welcome',
    content: 'Hello {{ name }}, welcome to {{ place }}.',
    variables: [{ name: 'name', type: 'string', required: true, sample: 'Ana' }],
    ...input,
  });
}

/** The text that callers get now. */
export async function liveText(context, slug) {
  const prompt = await request(context, 'GET', `/prompts/${slug}?render=false`);
  return prompt.content;
}

/** WCAG 2.1 AA and the best practices, on everything that is shown. */
export async function checkA11y(page, what) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], `accessibility of ${what}`);
}

/** Nothing may be wider than the screen. */
export async function checkWidth(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${what} is ${over}px wider than the screen`);
}

export const editor = (page) => page.locator('[name="content"]');

/** Types at the end of the text. */
export async function typeAtEnd(page, text) {
  await editor(page).click();
  await page.keyboard.press('ControlOrMeta+End');
  await page.keyboard.type(text);
}

export const saved = (page) => page.getByText(/Draft saved/).waitFor();
