import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError, NotFoundError, type Xr2 } from "../../src/index.js";
import { fail, until } from "../support/server.js";
import { useServer } from "../support/setup.js";

const context = useServer();

async function connected(client: Xr2, slug = "greeting"): Promise<void> {
  await until("served from the stream", async () => (await client.get(slug)).source === "stream");
}

async function shows(client: Xr2, text: string, slug = "greeting"): Promise<void> {
  await until(`"${text}"`, async () => (await client.get(slug)).content === text);
}

const isGone = (client: Xr2, slug = "greeting"): Promise<boolean> =>
  client.get(slug).then(
    () => false,
    (error: unknown) => error instanceof NotFoundError,
  );

for (const [name, options] of [
  ["node:http", {}],
  ["fetch", { fetch: globalThis.fetch }],
] as const) {
  test(`one bundle and one stream are all a client ever asks for (${name})`, async () => {
    for (const slug of ["a", "b", "c"]) context.server.publish(slug, slug);
    const client = context.client({ ...options, telemetry: false, timing: { maxAge: 0 } });
    await client.getMany(["a", "b", "c"]);
    await connected(client, "a");
    for (let i = 0; i < 1_000; i += 1) assert.equal((await client.get("b")).source, "stream");
    context.server.publish("b", "B");
    await shows(client, "B", "b");
    context.server.publish("new", "made later");
    await until("the new one", async () => (await client.get("a")) && !(await isGone(client, "new")));
    assert.equal((await client.get("new")).source, "stream");
    const paths = context.server.requests.map(({ path }) => path).filter((path) => !path.endsWith("/new"));
    assert.deepEqual([context.server.openings().length, new Set(paths).size], [1, 2], paths.join());
  });
}

test("the stream goes on where the bundle ends, and where it ended itself", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  assert.equal(context.server.openings()[0]?.headers["last-event-id"], "1");
  for (const stream of context.server.streams) stream.destroy();
  context.server.publish("greeting", "Hi");
  await until("another stream", () => context.server.openings().length === 2);
  await shows(client, "Hi");
  await connected(client);
  assert.match(String(context.server.openings()[1]?.headers["last-event-id"]), /^[12]$/);
});

test("what happened between the bundle and the stream comes with the stream, without another bundle", async () => {
  context.server.publish("greeting", "Hello");
  context.server.intercept = (seen) => {
    if (seen.path === "/api/v1/stream") {
      context.server.intercept = undefined;
      context.server.publish("greeting", "Hi");
    }
    return false;
  };
  const client = context.client({ timing: { maxAge: 60_000 } });
  await client.get("greeting");
  await shows(client, "Hi");
  await connected(client);
  assert.equal(context.server.bundles().length, 1);
});

test("two clients with the same settings share bundle and stream until the last one closes", async () => {
  context.server.publish("greeting", "Hello");
  const [one, two] = [context.client({ instance: "same" }), context.client({ instance: "same" })];
  await connected(one);
  await connected(two);
  assert.deepEqual([context.server.openings().length, context.server.bundles().length], [1, 1]);
  await one.close();
  assert.equal((await two.get("greeting")).source, "stream");
  await assert.rejects(one.get("greeting"), /closed/);
  await two.close();
  await until("no stream is left", () => context.server.streams.size === 0);
});

test("all labels share one stream, which is of one label as long as there is but one", async () => {
  context.server.publish("greeting", "Hello");
  context.server.publish("greeting", "Draft", {}, "staging");
  context.server.publish("greeting", "Trial", {}, "canary");
  const client = context.client();
  const of = (label: string): ReturnType<Xr2["get"]> => client.get("greeting", { label });
  await connected(client);
  for (const label of ["staging", "canary"]) {
    await until(`${label} is served from the stream`, async () => (await of(label)).source === "stream");
  }
  assert.deepEqual(
    context.server.openings().map(({ query, headers }) => [query.get("label"), headers["last-event-id"]]),
    [
      ["production", "3"],
      [null, "3"],
    ],
  );
  await until("only one stream is left", () => context.server.streams.size === 1);
  context.server.publish("greeting", "Draft 2", {}, "staging");
  await until("the draft", async () => (await of("staging")).content === "Draft 2");
  assert.deepEqual([(await client.get("greeting")).content, (await of("canary")).content], ["Hello", "Trial"]);
  assert.equal((await client.get("greeting")).source, "stream");
});

test("one label's deletion is none of another's, and every label goes on where the last of them is", async () => {
  context.server.publish("greeting", "Hello");
  context.server.publish("greeting", "Draft", {}, "staging");
  const client = context.client();
  await connected(client);
  const draft = (): ReturnType<Xr2["get"]> => client.get("greeting", { label: "staging" });
  await until("the draft is served from the stream", async () => (await draft()).source === "stream");
  const revision = (context.server.revision += 1);
  context.server.tell("delete", { revision, id: "id-greeting", slug: "greeting", label: "staging" }, "staging");
  context.server.tell("mark", { revision });
  for (const stream of context.server.streams) stream.end();
  await until("it is back", () => context.server.openings().length === 3 && client.streaming);
  await until("served from the stream", async () => (await client.get("greeting")).source === "stream");
  assert.equal(context.server.openings().at(-1)?.headers["last-event-id"], String(revision));
});

test("a bundle of many pages is taken as a whole, and begun anew when the server moves on", async () => {
  for (let i = 0; i < 5; i += 1) context.server.publish(`p${i}`, `text ${i}`);
  context.server.pageSize = 2;
  let pages = 0;
  context.server.intercept = (seen) => {
    if (seen.path === "/api/v1/bundle" && (pages += 1) === 2) context.server.publish("p0", "later");
    return false;
  };
  const client = context.client();
  await connected(client, "p4");
  assert.equal((await client.get("p0")).content, "later");
  // Page, conflict, and three pages.
  assert.equal(context.server.bundles().length, 5);
});

test("more prompts than memory may hold are fetched one by one, with a word of warning", async () => {
  for (const slug of ["a", "b", "c"]) context.server.publish(slug, slug);
  const codes: string[] = [];
  const client = context.client({ cacheSize: 2, onWarning: ({ code }) => codes.push(code) });
  assert.equal((await client.get("a")).content, "a");
  await connected(client, "a");
  context.server.publish("a", "A");
  await shows(client, "A", "a");
  assert.deepEqual(codes, ["BUNDLE_TOO_LARGE"]);
  const some = context.client({ cacheSize: 2, slugs: ["b", "a"] });
  await connected(some, "b");
  assert.equal(context.server.bundles().at(-1)?.query.get("slugs"), "a,b");
  assert.equal((await some.get("c")).content, "c");
});

test("a former slug and an id lead to the prompt, also after it was renamed", async () => {
  context.server.publish("greeting", "Hello", { id: "id-1" });
  const client = context.client();
  await connected(client, "id-1");
  const { revision } = context.server;
  context.server.revision = revision + 1;
  const renamed = { ...context.server.item("greeting"), slug: "welcome", former_slugs: ["greeting"], version: 2 };
  context.server.tell("delete", { revision: revision + 1, id: "id-1", slug: "greeting", label: "production" });
  context.server.tell("put", { revision: revision + 1, prompt: renamed });
  for (const name of ["greeting", "welcome", "id-1"]) {
    await until(name, async () => (await client.get(name)).slug === "welcome");
    assert.equal((await client.get(name)).source, "stream");
  }
});

test("a deleted prompt is gone at once, and stays gone though an older bundle comes late", async () => {
  context.server.publish("greeting", "Hello");
  context.server.publish("other", "x");
  const client = context.client();
  await connected(client);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const stale = { revision: context.server.revision, label: "production", prompts: [context.server.item("greeting")] };
  context.server.intercept = async (seen, response) => {
    if (seen.path !== "/api/v1/bundle") return false;
    await held;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ success: true, data: stale, meta: {} }));
    return true;
  };
  context.server.tell("resync", { revision: context.server.revision });
  await until("the bundle is asked for", () => context.server.bundles().length === 2);
  context.server.remove("greeting");
  context.server.publish("other", "y");
  await until("the publish after it", async () => (await client.get("other")).content === "y");
  assert.ok(await isGone(client));
  release();
  await connected(client, "other");
  assert.ok(await isGone(client));
  assert.equal((await client.get("other")).content, "y");
});

test("a prompt that is not there is asked for once, until something happens", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  for (let i = 0; i < 10; i += 1) assert.ok(await isGone(client, "absent"));
  assert.equal(context.server.fetches("absent").length, 1);
  context.server.publish("absent", "here now");
  await until("it is there", async () => !(await isGone(client, "absent")));
});

test("frames out of order and twice change nothing for the worse", async () => {
  context.server.publish("greeting", "one");
  const first = context.server.item("greeting");
  context.server.publish("greeting", "two");
  const client = context.client();
  await connected(client);
  context.server.publish("greeting", "three");
  await shows(client, "three");
  const put = (revision: number, prompt: object): void =>
    context.server.tellRaw(`event: put\nid: ${revision}\ndata: ${JSON.stringify({ revision, prompt })}\n\n`);
  put(1, first);
  context.server.tellRaw(`event: delete\ndata: {"revision":2,"id":"id-greeting","slug":"greeting"}\n\n`);
  put(context.server.revision, context.server.item("greeting"));
  context.server.publish("sentinel", "x");
  await until("the sentinel", async () => !(await isGone(client, "sentinel")));
  assert.equal((await client.get("greeting")).content, "three");
  assert.equal((await client.get("greeting")).source, "stream");
});

for (const [name, frame] of [
  ["no JSON", "event: put\nid: 2\ndata: {{{\n\n"],
  ["no prompt", 'event: put\nid: 2\ndata: {"revision":2}\n\n'],
  ["a prompt without text", 'event: put\ndata: {"revision":2,"prompt":{"id":"x","slug":"greeting"}}\n\n'],
  ["no revision", 'event: delete\ndata: {"slug":"greeting"}\n\n'],
  ["a resync", 'event: resync\nid: 2\ndata: {"revision":2}\n\n'],
] as const) {
  test(`a frame with ${name} sends the client back to the bundle`, async () => {
    context.server.publish("greeting", "Hello");
    const client = context.client();
    await connected(client);
    context.server.publishQuietly("greeting", "Hi");
    context.server.tellRaw(frame);
    await shows(client, "Hi");
    await connected(client);
    assert.equal(context.server.openings().length, 1, "on the same stream");
  });
}

test("a revision that no bundle ever reaches is not waited for for good", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { olderGrace: 50 } });
  await connected(client);
  context.server.tellRaw('event: put\nid: 900\ndata: {"revision":900}\n\n');
  await until("the bundle is asked for", () => context.server.bundles().length > 1);
  await connected(client);
  context.server.publish("greeting", "Hi");
  await shows(client, "Hi");
});

test("a word of a later server is ignored", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  context.server.tell("a-word-of-a-later-server", { revision: 1 });
  context.server.publish("greeting", "Hi");
  await shows(client, "Hi");
  assert.equal(context.server.bundles().length, 1);
});

test("an edit of what is not delivered asks for nothing, wherever a label is fetched one by one", async () => {
  for (const slug of ["greeting", "a", "b"]) context.server.publish(slug, "Hello");
  const client = context.client({ cacheSize: 2, onWarning: () => undefined, timing: { maxAge: 600_000 } });
  await connected(client);
  const asked = context.server.fetches("greeting").length;
  context.server.tell("edited", { revision: (context.server.revision += 1), prompt_id: "id-greeting", slug: "greeting" });
  context.server.publish("a", "Hi");
  await until("what came after it", async () => (await client.get("a")).content === "Hi");
  assert.equal((await client.get("greeting")).source, "stream");
  assert.equal(context.server.fetches("greeting").length, asked);
});

test("behind the window the server sends the client to the bundle", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  for (const stream of context.server.streams) stream.destroy();
  context.server.publishQuietly("greeting", "Hi");
  context.server.replaysFrom = 10;
  await until("the resync", () => context.server.bundles().length === 2);
  await shows(client, "Hi");
  await connected(client);
});

test("a stream that does not go on where it was asked to is found out at its first heartbeat", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  context.server.intercept = (seen) => {
    delete seen.headers["last-event-id"];
    return false;
  };
  await context.server.stop();
  context.server.publish("greeting", "Hi");
  await context.server.start();
  await until("the stream is back", () => context.server.openings().length === 2 && client.streaming);
  context.server.tellRaw(": ping\n\n");
  await shows(client, "Hi");
});

test("a stream that never says anything is given up after three of the heartbeats it promised", async () => {
  context.server.publish("greeting", "Hello");
  context.server.heartbeat = 0.05;
  const client = context.client();
  await connected(client);
  const [first] = context.server.streams;
  await until("another stream", () => context.server.streams.size > 0 && !context.server.streams.has(first!));
  context.server.publish("greeting", "Hi");
  await shows(client, "Hi");
});

test("an opened stream that never greets vouches for nothing", async () => {
  context.server.publish("greeting", "Hello");
  context.server.greets = false;
  const client = context.client({ timing: { maxAge: 0, streamSilence: 100 } });
  await client.get("greeting");
  await until("the stream is open", () => context.server.openings().length > 0);
  context.server.publish("greeting", "Hi");
  assert.equal((await client.get("greeting")).content, "Hi");
  assert.equal(client.streaming, false);
  await until("another try", () => context.server.openings().length > 1);
});

test("where streams are blocked the bundle is polled by ETag, until there is a stream", async () => {
  context.server.publish("greeting", "Hello");
  context.server.streamAllowed = false;
  const client = context.client({ telemetry: false, timing: { maxAge: 0 } });
  assert.equal((await client.get("greeting")).source, "api");
  assert.equal((await client.get("greeting")).content, "Hello");
  assert.equal(context.server.bundles().at(-1)?.headers["if-none-match"], '"r1-production"');
  context.server.publish("greeting", "Hi");
  assert.equal((await client.get("greeting")).content, "Hi");
  assert.equal(context.server.fetches("greeting").length, 0);
  context.server.streamAllowed = true;
  await connected(client);
  const asked = context.server.requests.length;
  for (let i = 0; i < 100; i += 1) await client.get("greeting");
  assert.equal(context.server.requests.length, asked, "polling is retired");
});

test("a poll that comes late overwrites nothing newer", async () => {
  context.server.publish("greeting", "old");
  context.server.streamAllowed = false;
  const client = context.client({ timing: { maxAge: 0, staleWait: 5 } });
  await client.get("greeting");
  const old = { revision: 1, label: "production", prompts: [context.server.item("greeting")] };
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let polls = 0;
  context.server.intercept = async (seen, response) => {
    if (seen.path !== "/api/v1/bundle" || (polls += 1) > 1) return false;
    context.server.streamAllowed = true;
    await held;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ success: true, data: old, meta: {} }));
    return true;
  };
  assert.equal((await client.get("greeting")).content, "old");
  context.server.publish("greeting", "new");
  await connected(client);
  assert.equal((await client.get("greeting")).content, "new");
  release();
  await until("the late answer is in", () => context.server.requests.every(({ path }) => path !== "") && polls === 1);
  context.server.publish("greeting", "newest");
  await shows(client, "newest");
  assert.equal((await client.get("greeting")).source, "stream");
});

test("after a restart of the server the stream is open again and memory current", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  await context.server.stop();
  await until("the stream is down", () => !client.streaming);
  assert.equal((await client.get("greeting")).content, "Hello");
  context.server.publish("greeting", "Hi");
  await context.server.start();
  await shows(client, "Hi");
  await connected(client);
});

test("during an outage reads go on from memory, marked stale, and wait for nobody", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { maxAge: 0, retryAfterFailure: 60_000, staleWait: 60_000 } });
  await connected(client);
  await context.server.stop();
  await until("stale", async () => (await client.get("greeting")).stale);
  const before = performance.now();
  for (let i = 0; i < 1_000; i += 1) assert.equal((await client.get("greeting")).content, "Hello");
  assert.ok(performance.now() - before < 20_000);
});

test("a server set back to a backup is believed after a while", async () => {
  context.server.revision = 100;
  context.server.publish("greeting", "lost");
  const client = context.client({ timing: { maxAge: 0, olderGrace: 100 } });
  await connected(client);
  await context.server.stop();
  await until("the stream is down", () => !client.streaming);
  context.server.revision = 4;
  context.server.publishQuietly("greeting", "restored");
  await context.server.start();
  await shows(client, "restored");
  await connected(client);
  context.server.publish("greeting", "new");
  await shows(client, "new");
});

test("when the key ends, the stream ends, memory is emptied, and calls say so at once", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  context.server.validKeys.clear();
  for (const stream of context.server.streams) stream.end();
  const refused = (): Promise<boolean> =>
    client.get("greeting").then(
      () => false,
      (error: unknown) => error instanceof AuthError && error.status === 401,
    );
  await until("refused", refused);
  // Not even an outage brings back what was forgotten.
  await context.server.stop();
  await assert.rejects(client.get("greeting"));
});

test("a bundle that does not come in time keeps nobody waiting: the prompt is asked for alone", async () => {
  context.server.publish("greeting", "Hello");
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  context.server.intercept = async (seen) => (seen.path === "/api/v1/bundle" && (await held), false);
  const client = context.client({ timing: { bundleWait: 20 } });
  const prompt = await client.get("greeting");
  assert.deepEqual([prompt.content, context.server.fetches("greeting").length], ["Hello", 1]);
  release();
  await connected(client);
});

test("a bundle that cannot be had is no reason to fail while the prompt can", async () => {
  context.server.publish("greeting", "Hello");
  context.server.intercept = (seen, response) =>
    seen.path === "/api/v1/bundle" && (fail(response, 503, "UNAVAILABLE", "Not now", { "Retry-After": "1" }), true);
  const client = context.client();
  assert.equal((await client.get("greeting")).content, "Hello");
  await until("the stream is open", () => client.streaming);
  context.server.intercept = undefined;
  await connected(client);
});

test("while an A/B test runs the server says who gets what", async () => {
  context.server.publish("greeting", "Hello", { ab_test: { id: "t", variant: "a" } });
  context.server.publish("other", "x");
  const client = context.client();
  await connected(client, "other");
  const prompt = await client.get("greeting");
  assert.deepEqual([prompt.variant, prompt.source], ["a", "api"]);
  context.server.publish("greeting", "Hello");
  await until("the test is over", async () => (await client.get("greeting")).variant === null);
  assert.equal((await client.get("greeting", { userId: "u1" })).source, "stream");
});

test("a server that was taught bundles meanwhile is recognised when the stream opens again", async () => {
  context.server.publish("greeting", "Hello");
  context.server.modern = false;
  const client = context.client({ timing: { streamTrust: 0 } });
  await until("the stream is open", async () => (await client.get("greeting")) !== undefined && client.streaming);
  assert.equal(context.server.fetches("greeting").length > 0, true);
  context.server.modern = true;
  for (const stream of context.server.streams) stream.destroy();
  await until("the bundle is in use", () => context.server.bundles().length > 1 && client.streaming);
  context.server.publish("greeting", "Hi");
  await shows(client, "Hi");
});
