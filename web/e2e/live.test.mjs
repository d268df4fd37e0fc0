/** One stream of events for all tabs of a browser, handed on from tab to tab without a gap. */
import assert from 'node:assert/strict';
import { api, makePrompt } from './support/api.mjs';
import { pageTest } from './support/browser.mjs';
import { patience, url } from './support/config.mjs';

/** How many streams the server says are open. */
async function streams() {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^xr2_streams(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? 0);
}

/** Waits for a condition outside the page. */
async function eventually(what, condition) {
  const end = Date.now() + patience;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The streams a page has asked for: with which last id, and whether each is still open. */
function watchStreams(page) {
  const seen = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/v1/stream') {
      seen.push({ request, open: true, lastId: request.headers()['last-event-id'] });
    }
  });
  const ended = (request) => {
    for (const one of seen) if (one.request === request) one.open = false;
  };
  page.on('requestfailed', ended);
  page.on('requestfinished', ended);
  return seen;
}

const open = (seen) => seen.filter((one) => one.open).length;

/** Three tabs of one browser on the same prompt, the first of which leads. */
async function threeTabs(page, context) {
  const { slug } = await makePrompt();
  const tabs = [];
  for (const tab of [page, await context.newPage(), await context.newPage()]) {
    const seen = watchStreams(tab);
    tabs.push({ page: tab, seen });
    await tab.goto(`/prompts/${slug}`);
    await tab.getByText('Live v1').first().waitFor();
    if (tabs.length === 1) await eventually('the first tab listens', () => open(seen) === 1);
  }
  return { slug, tabs };
}

const publish = (slug, content) => api('PUT', `/prompts/${slug}`, { content });
const shows = (tabs, version) => Promise.all(tabs.map((tab) => tab.page.getByText(`Live v${version}`).first().waitFor()));

pageTest('three tabs share one stream, and the next in line takes it over', {}, async (page, context) => {
  await eventually('the streams of other tests are closed', async () => (await streams()) === 0);
  const { slug, tabs } = await threeTabs(page, context);
  const [leader, ...others] = tabs;
  await publish(slug, 'two');
  await shows(tabs, 2);
  assert.deepEqual([await streams(), ...tabs.map((tab) => open(tab.seen))], [1, 1, 0, 0]);

  // What is published while nobody listens is told to whoever comes next.
  const [closed] = await Promise.all([leader.page.close(), publish(slug, 'three')]);
  assert.equal(closed, undefined);
  await shows(others, 3);
  await eventually('one of the others listens', () => open(others[0].seen) + open(others[1].seen) === 1);
  await eventually('the server sees one stream', async () => (await streams()) === 1);
  const taken = others.flatMap((tab) => tab.seen);
  assert.equal(taken.length, 1, 'one of them, once');
  assert.match(taken[0].lastId ?? '', /^\d+$/, 'it goes on where the first one was');

  await publish(slug, 'four');
  await shows(others, 4);
});

pageTest('a tab that is put to sleep hands the stream on, and follows when it wakes', {}, async (page, context) => {
  const { slug, tabs } = await threeTabs(page, context);
  const [leader, ...others] = tabs;
  await leader.page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await eventually('another tab listens', () => open(others[0].seen) + open(others[1].seen) === 1);
  await eventually('the first tab does not', () => open(leader.seen) === 0);
  await publish(slug, 'two');
  await shows(others, 2);
  await leader.page.evaluate(() => document.dispatchEvent(new Event('resume')));
  await shows([leader], 2);
  await publish(slug, 'three');
  await shows(tabs, 3);
  assert.equal(open(leader.seen), 0, 'it follows');
});

pageTest('a tab that leads and does not answer loses the stream', {}, async (page, context) => {
  const { slug, tabs } = await threeTabs(page, context);
  const [leader, second, third] = tabs;
  // Its messages are held back, as in a tab that the browser has stopped without a word.
  const session = await context.newCDPSession(leader.page);
  await session.send('Debugger.enable');
  await session.send('Debugger.pause');
  void leader.page.evaluate(() => 1).catch(() => {});
  await second.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await eventually('another tab listens', () => open(second.seen) + open(third.seen) === 1);
  await publish(slug, 'two');
  await shows([second, third], 2);
  await session.send('Debugger.resume');
  await session.detach();
  await shows(tabs, 2);
  await eventually('the first tab follows', () => open(leader.seen) === 0);
  await publish(slug, 'three');
  await shows(tabs, 3);
});

pageTest('without locks every tab listens for itself', {}, async (page, context) => {
  await context.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
  const { slug, tabs } = await threeTabs(page, context);
  await eventually('all listen', () => tabs.every((tab) => open(tab.seen) === 1));
  await publish(slug, 'two');
  await shows(tabs, 2);
});
