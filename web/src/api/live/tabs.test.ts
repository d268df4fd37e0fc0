import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Lead, shareAmongTabs } from './tabs';

/** Locks as browsers have them: one holder, the others in line, and stealing. */
class Locks {
  #holder: { reject: (error: Error) => void } | null = null;
  readonly #line: (() => void)[] = [];

  request = (
    _name: string,
    { steal, signal }: { steal?: boolean; signal?: AbortSignal },
    work: () => Promise<void> | undefined,
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const hold = () => {
        if (signal?.aborted) return this.#next();
        const own = { reject };
        this.#holder = own;
        void Promise.resolve(work()).then(() => {
          resolve();
          if (this.#holder === own) this.#next();
        });
      };
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      if (steal) this.#holder?.reject(new Error('stolen'));
      if (steal || !this.#holder) queueMicrotask(hold);
      else this.#line.push(hold);
    });

  #next(): void {
    this.#holder = null;
    this.#line.shift()?.();
  }
}

interface Page {
  document: EventTarget & { hidden: boolean; visibilityState: string };
  connected: boolean;
  leads: boolean;
  heard: string[];
}

let stops: (() => void)[] = [];
let locks: Locks;

beforeEach(() => {
  locks = new Locks();
  stops = [];
});

afterEach(() => {
  for (const stop of stops) stop();
  vi.unstubAllGlobals();
});

/** Opens a tab. All tabs of a test are in one world, so what a page is to the next one is told before. */
function open(hidden: boolean): Page {
  const document = Object.assign(new EventTarget(), { hidden, visibilityState: hidden ? 'hidden' : 'visible' });
  const page: Page = { document, connected: true, leads: false, heard: [] };
  const window = Object.assign(new EventTarget(), { setTimeout, clearTimeout, setInterval, clearInterval });
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', document);
  vi.stubGlobal('navigator', { locks });
  const begin = (): Lead<string> => {
    page.leads = true;
    return { stop: () => (page.leads = false), isConnected: () => page.connected, greeting: () => 'here' };
  };
  stops.push(shareAmongTabs('tabs', begin, (message) => page.heard.push(message), document as unknown as Document));
  return page;
}

test('one tab leads, and the next one hears from it where it stands', async () => {
  const first = open(false);
  await vi.waitUntil(() => first.leads);
  const second = open(false);
  await vi.waitUntil(() => second.heard.length > 0);
  expect([first.leads, second.leads, second.heard]).toEqual([true, false, ['here']]);
});

test('a tab somebody looks at takes over from a hidden one whose connection is down', async () => {
  const first = open(true);
  await vi.waitUntil(() => first.leads);
  first.connected = false;
  const second = open(false);
  await vi.waitUntil(() => second.leads);
  expect(first.leads).toBe(false);
});

test('the lead stays where it is while its tab is looked at, and while nobody looks at any', async () => {
  for (const hidden of [false, true]) {
    const first = open(hidden);
    await vi.waitUntil(() => first.leads);
    first.connected = false;
    const second = open(hidden);
    await vi.waitUntil(() => second.heard.length > 0);
    expect([first.leads, second.leads]).toEqual([true, false]);
    for (const stop of stops.splice(0).reverse()) stop();
    await vi.waitUntil(() => !first.leads);
  }
});
