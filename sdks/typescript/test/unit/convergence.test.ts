import assert from "node:assert/strict";
import { test } from "node:test";
import { NotFoundError, type Xr2 } from "../../src/index.js";
import { until, type TestServer } from "../support/server.js";
import { useServer } from "../support/setup.js";

const context = useServer();
const SLUGS = ["a", "b", "c", "d"];
const STEPS = 400;

/** Numbers that look random and are the same in every run of a seed (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** One thing that happens to a server or on the way to it. Every text is the revision it was made at. */
function happen(server: TestServer, live: Set<string>, random: (below: number) => number): void {
  const slug = SLUGS[random(SLUGS.length)]!;
  const what = random(20);
  if (what < 10) {
    server.publish(slug, `${server.revision + 1}`);
    live.add(slug);
  } else if (what < 13) {
    if (live.delete(slug)) server.remove(slug);
  } else if (what < 15) {
    for (const stream of server.streams) stream.destroy();
  } else if (what < 16) {
    server.replaysFrom = server.revision - random(3);
  } else if (what < 17) {
    server.tell("resync", { revision: server.revision });
  } else if (what < 18) {
    server.streamAllowed = !server.streamAllowed;
  } else {
    server.tellRaw(": ping\n\n");
  }
}

/** The revision a slug's text was made at; undefined: there is none. */
async function read(client: Xr2, slug: string): Promise<number | undefined> {
  try {
    return Number((await client.get(slug)).content);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`no read goes back in time, and in the end memory is the server's (seed ${seed})`, async () => {
    const { server } = context;
    const random = randomNumbers(seed);
    const live = new Set<string>();
    server.publish("a", "1");
    live.add("a");
    const client = context.client({ telemetry: false, timing: { maxAge: 5, resyncJitter: 5, streamRetryMax: 10 } });
    const newest = new Map<string, number>();
    for (let step = 0; step < STEPS; step += 1) {
      happen(server, live, random);
      const slug = SLUGS[random(SLUGS.length)]!;
      const at = await read(client, slug);
      if (at === undefined) continue;
      assert.ok(at >= (newest.get(slug) ?? 0), `step ${step}: ${slug} went from ${newest.get(slug)} back to ${at}`);
      newest.set(slug, at);
    }
    server.streamAllowed = true;
    server.publish("z", `${server.revision + 1}`);
    for (const slug of ["z", ...live]) {
      const expected = server.item(slug)["content"];
      await until(`${slug} is ${String(expected)}, from the stream`, async () => {
        const prompt = await client.get(slug);
        return prompt.content === expected && prompt.source === "stream";
      });
    }
    for (const slug of SLUGS) if (!live.has(slug)) assert.equal(await read(client, slug), undefined);
  });
}
