import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { AuthError, fileSnapshot, Xr2, type Xr2Options } from "../../src/index.node.js";
import { until } from "../support/server.js";
import { OwnServer } from "./own-server.js";
import { BUNDLE, Proxy, STREAM } from "./proxy.js";
import { Admin, environment } from "./server.js";

/** So long a busy machine may take for what is usually done in one second or five. */
const LONG = 60_000;
const { url, apiKey, adminKey } = environment();
const admin = new Admin(url, adminKey);
const clients: Xr2[] = [];
const proxies: Proxy[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
});
after(() => admin.cleanUp());

function connect(options: Xr2Options = {}): Xr2 {
  const client = new Xr2({ url, apiKey, ...options });
  clients.push(client);
  return client;
}

async function proxied(): Promise<Proxy> {
  const proxy = await Proxy.before(url);
  proxies.push(proxy);
  return proxy;
}

const textOf = async (client: Xr2, slug: string): Promise<string | null | undefined> => (await client.get(slug)).content;
const streams = (client: Xr2, slug: string): Promise<void> =>
  until("served from the stream", async () => (await client.get(slug)).source === "stream", LONG);
const shows = (client: Xr2, slug: string, text: string): Promise<void> =>
  until(`"${text}"`, async () => (await textOf(client, slug)) === text, LONG);

test("a publish changes the text in memory without a request", async () => {
  const slug = await admin.create({ content: "one" });
  const proxy = await proxied();
  const client = connect({ url: proxy.url });
  await streams(client, slug);
  const asked = proxy.askedForTexts;
  for (let i = 0; i < 1_000; i += 1) assert.equal(await textOf(client, slug), "one");
  await admin.update(slug, { content: "two" });
  await shows(client, slug, "two");
  assert.equal((await client.get(slug)).source, "stream");
  assert.equal(proxy.askedForTexts, asked);
  assert.deepEqual(proxy.answers(STREAM), [200]);
});

test("one stream tells of all labels that are in use", async () => {
  const slug = await admin.create({ content: "one" });
  await admin.moveLabel(slug, "staging", 1);
  const proxy = await proxied();
  const client = connect({ url: proxy.url });
  await streams(client, slug);
  const staged = (): ReturnType<Xr2["get"]> => client.get(slug, { label: "staging" });
  await until("both come from the stream", async () => {
    const both = [await staged(), await client.get(slug)];
    return both.every(({ source }) => source === "stream");
  }, LONG);
  const asked = proxy.askedForTexts;
  await admin.update(slug, { content: "two" });
  await shows(client, slug, "two");
  assert.equal((await staged()).content, "one");
  await admin.moveLabel(slug, "staging", 2);
  await until("the label is moved", async () => (await staged()).content === "two", LONG);
  assert.equal((await staged()).source, "stream");
  assert.equal(proxy.askedForTexts, asked);
  assert.deepEqual(proxy.answers(STREAM), [200, 200]);
});

test("where streams are blocked, what is the same is not downloaded again, and polling ends with the block", async () => {
  const slug = await admin.create({ content: "one" });
  const proxy = await proxied();
  proxy.blockStreams();
  const client = connect({ url: proxy.url, timing: { streamRetryMax: 2_000 } });
  const answered = (status: number): number => proxy.answers(BUNDLE).filter((one) => one === status).length;
  await until("two polls", async () => (await textOf(client, slug)) === "one" && answered(304) >= 2, LONG);
  assert.equal(answered(200), 1);
  await admin.update(slug, { content: "two" });
  await shows(client, slug, "two");
  assert.equal(answered(200), 2);

  proxy.blocked = false;
  await streams(client, slug);
  const polled = proxy.answers(BUNDLE).length;
  for (const text of ["three", "four", "five"]) {
    await admin.update(slug, { content: text });
    await shows(client, slug, text);
  }
  assert.equal(proxy.answers(BUNDLE).length, polled);
});

test("an answer that is late overwrites nothing newer", async () => {
  const slug = await admin.create({ content: "one" });
  const proxy = await proxied();
  proxy.blockStreams();
  const client = connect({ url: proxy.url, timing: { streamRetryMax: 2_000 } });
  await until("a bundle", async () => (await textOf(client, slug)) === "one" && proxy.answers(BUNDLE).includes(200), LONG);
  await admin.create({ content: "something else" });
  proxy.hold(BUNDLE);
  await until("a bundle is held", async () => (await textOf(client, slug)) === "one" && proxy.caught, LONG);
  // What is held says "one". Meanwhile the stream is back and brings what is newer.
  await admin.update(slug, { content: "two" });
  proxy.blocked = false;
  await shows(client, slug, "two");
  const answered = proxy.answers(BUNDLE).length;
  proxy.release();
  await until("the late answer", () => proxy.answers(BUNDLE).length > answered, LONG);
  await admin.update(slug, { content: "three" });
  const seen = new Set<unknown>();
  await until(
    "three",
    async () => {
      seen.add(await textOf(client, slug));
      return seen.has("three");
    },
    LONG,
  );
  assert.ok(!seen.has("one"), [...seen].join(", "));
});

test("a killed server stops no read, a start without it reads the disk, and it is found again", async () => {
  const own = await OwnServer.boot();
  try {
    const slug = await own.admin.create({ content: "Hello {{ name }}!" });
    const snapshot = join(own.folder, "snapshot");
    const client = connect({ url: own.url, apiKey: own.apiKey, snapshot: fileSnapshot(snapshot) });
    await streams(client, slug);
    await until("the snapshot", () => existsSync(snapshot), LONG);
    await own.kill();
    let slowest = 0;
    for (let i = 0; i < 500; i += 1) {
      const began = performance.now();
      assert.equal((await (await client.get(slug)).render({ name: "Ada" })).content, "Hello Ada!");
      slowest = Math.max(slowest, performance.now() - began);
    }
    assert.ok(slowest < 3_000, `nobody waits longer than for one confirmation, but ${slowest} ms`);

    const program = fileURLToPath(new URL("./cold-start.ts", import.meta.url));
    const options = ["--import", "tsx", program, own.url, own.apiKey, slug, snapshot];
    const { stdout } = await promisify(execFile)(process.execPath, options, { timeout: LONG });
    assert.deepEqual(JSON.parse(stdout), { content: "Hello {{ name }}!", source: "disk", stale: true });

    await own.start();
    await own.admin.update(slug, { content: "Welcome back" });
    await shows(client, slug, "Welcome back");
    await streams(client, slug);
    await client.close();
  } finally {
    await own.close();
  }
});

test("a revoked key ends a client that only reads its memory", async () => {
  const { id, key } = await admin.createKey();
  const slug = await admin.create({ content: "secret" });
  const client = connect({ apiKey: key });
  await streams(client, slug);
  await admin.revokeKey(id);
  const isRefused = (): Promise<boolean> =>
    client.get(slug).then(
      () => false,
      (error: unknown) => error instanceof AuthError,
    );
  await until("refused", isRefused, LONG);
  for (let i = 0; i < 20; i += 1) assert.ok(await isRefused());
});

test("the server knows which client serves what, and how long reads take", async () => {
  const slug = await admin.create({ content: "one" });
  const client = connect({ instance: `web-${slug}` });
  await streams(client, slug);
  const served = async (version: number): Promise<boolean> => {
    const { counts, instances } = await admin.clients(slug);
    const isAll = counts["total"] === 1 && counts["current"] === 1 && counts["silent"] === 0;
    const one = instances[0];
    return isAll && one?.instance === `web-${slug}` && one.stream && one.serving[0]?.version === version;
  };
  await until("it serves one", () => served(1), LONG);
  await admin.update(slug, { content: "two" });
  await until("it serves two", () => served(2), LONG);
  await client.get(slug);
  await client.close();
  await until("reads", async () => (await admin.reads(slug)).sdk > 0, LONG);
  const { p50 } = await admin.reads(slug);
  assert.ok(p50 !== null && p50 >= 0 && p50 < 1_000, `${p50} ms`);
});

test("what is in use stands on the span", async () => {
  const slug = await admin.create({ content: "one" });
  const client = connect();
  await streams(client, slug);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const span = new BasicTracerProvider().getTracer("test").startSpan("answer a customer");
  await context.with(trace.setSpan(context.active(), span), () => client.get(slug));
  span.end();
  assert.deepEqual((span as unknown as ReadableSpan).attributes, {
    "xr2.prompt.slug": slug,
    "xr2.prompt.version": 1,
    "xr2.prompt.label": "production",
  });
  context.disable();
});
