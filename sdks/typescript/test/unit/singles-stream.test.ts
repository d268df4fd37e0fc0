import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AuthError, NotFoundError, type Xr2 } from "../../src/index.js";
import { KEY, until } from "../support/server.js";
import { useServer } from "../support/setup.js";

/** A server of before bundles, whose stream only says that something changed. */
const context = useServer({ modern: false });
const LABEL = { label: "production" };

async function connected(client: Xr2, slug = "greeting"): Promise<void> {
  await client.get(slug);
  await until("the stream is open", () => client.streaming);
  // The copy may be of before the greeting; then it is asked for once more.
  await until("served from the stream", async () => (await client.get(slug)).source === "stream");
}

async function shows(client: Xr2, text: string, slug = "greeting"): Promise<void> {
  await until(`"${text}"`, async () => (await client.get(slug)).content === text);
}

for (const [name, options] of [
  ["node:http", {}],
  ["fetch", { fetch: globalThis.fetch }],
] as const) {
  test(`a publish comes by way of the stream, though memory would be good for much longer (${name})`, async () => {
    context.server.publish("greeting", "Hello");
    const client = context.client({ ...options, timing: { maxAge: 600_000 } });
    await connected(client);
    context.server.publish("greeting", "Hi");
    await shows(client, "Hi");
    assert.equal((await client.get("greeting")).source, "stream");
  });
}

test("with the stream open memory is never too old, and nothing is polled", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { maxAge: 0 } });
  await connected(client);
  const asked = context.server.fetches("greeting").length;
  for (let i = 0; i < 1_000; i += 1) await client.get("greeting");
  assert.equal(context.server.fetches("greeting").length, asked);
});

test("one client opens one stream, whatever it fetches", async () => {
  for (const slug of ["a", "b", "c"]) context.server.publish(slug, slug);
  const client = context.client();
  await client.getMany(["a", "b", "c"]);
  await connected(client, "a");
  assert.equal(context.server.streams.size, 1);
});

test("where streams are blocked the one-second rule holds, and a stream is tried until there is one", async () => {
  context.server.publish("greeting", "Hello");
  context.server.streamAllowed = false;
  const client = context.client({ timing: { maxAge: 0 } });
  assert.equal((await client.get("greeting")).source, "api");
  context.server.publish("greeting", "Hi");
  assert.equal((await client.get("greeting")).content, "Hi");
  context.server.streamAllowed = true;
  await connected(client);
  const asked = context.server.fetches("greeting").length;
  await client.get("greeting");
  assert.equal(context.server.fetches("greeting").length, asked, "polling is retired");
});

test("an open stream that has not greeted vouches for nothing", async () => {
  context.server.publish("greeting", "Hello");
  context.server.greets = false;
  const client = context.client({ timing: { maxAge: 0 } });
  await client.get("greeting");
  await until("the stream is open", () => context.server.streams.size === 1);
  context.server.publishQuietly("greeting", "Hi");
  assert.equal((await client.get("greeting")).content, "Hi");
  assert.equal(client.streaming, false);
});

test("what changed while the stream was cut is found when it is back", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  context.server.publishQuietly("greeting", "Hi");
  for (const stream of context.server.streams) stream.destroy();
  await shows(client, "Hi");
  await connected(client);
});

test("a reconnect at the same revision asks for nothing again", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { maxAge: 60_000 } });
  await connected(client);
  const asked = context.server.fetches("greeting").length;
  for (const stream of context.server.streams) stream.destroy();
  await until("the stream is back", () => context.server.openings().length === 2 && client.streaming);
  assert.equal((await client.get("greeting")).source, "stream");
  assert.equal(context.server.fetches("greeting").length, asked);
});

test("a stream that falls silent is given up and opened again", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { streamSilence: 150 } });
  await connected(client);
  const [first] = context.server.streams;
  context.server.publishQuietly("greeting", "Hi");
  await until("another stream", () => context.server.streams.size > 0 && !context.server.streams.has(first!));
  await shows(client, "Hi");
});

test("heartbeats keep a stream that says nothing else", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { streamSilence: 1_000 } });
  await connected(client);
  const [first] = context.server.streams;
  const started = performance.now();
  const beat = setInterval(() => context.server.tellRaw(": ping\n\n"), 50);
  try {
    await until("three silences have passed", () => performance.now() - started > 3_000);
    assert.ok(context.server.streams.has(first!));
  } finally {
    clearInterval(beat);
  }
});

for (const event of ["resync", "a-word-of-a-later-server"]) {
  test(`after \`${event}\` everything is looked at again`, async () => {
    context.server.publish("greeting", "Hello");
    const client = context.client();
    await connected(client);
    context.server.publishQuietly("greeting", "Hi");
    context.server.tell(event, { revision: context.server.revision });
    await shows(client, "Hi");
  });
}

test("an event cut into single bytes is understood", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  context.server.publishQuietly("greeting", "Hi");
  const event = `event: changed\r\ndata: {"slug":"greeting","label":"production","version":2,"revision":${context.server.revision}}\r\n\r\n`;
  for (const byte of event) {
    context.server.tellRaw(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await shows(client, "Hi");
});

test("a change that comes in while its prompt is being fetched is not missed", async () => {
  context.server.publish("greeting", "Hello");
  context.server.publish("other", "x");
  const client = context.client();
  await connected(client, "other");
  let overtake = true;
  context.server.intercept = (seen, response) => {
    if (!overtake || !seen.path.endsWith("/greeting")) return false;
    overtake = false;
    // The answer is made from the old text, and the event is out before it.
    const old = JSON.stringify({
      success: true,
      data: {
        id: "id-greeting",
        slug: "greeting",
        type: "text",
        syntax: "simple",
        content: "Hello",
        version: 1,
        label: "production",
      },
      meta: {},
    });
    const revision = String(context.server.revision);
    context.server.publish("greeting", "Hi");
    setTimeout(
      () => response.writeHead(200, { "Content-Type": "application/json", "X-XR2-Revision": revision }).end(old),
      30,
    );
    return true;
  };
  await client.get("greeting");
  await shows(client, "Hi");
});

test("the node that answers is asked to have caught up with the event", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  context.server.publish("greeting", "Hi");
  await shows(client, "Hi");
  const last = context.server.fetches("greeting").at(-1);
  assert.equal(last?.headers["x-xr2-min-revision"], String(context.server.revision));
});

test("a prompt that is deleted is gone at once", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  context.server.remove("greeting");
  await until("not found", () =>
    client.get("greeting").then(
      () => false,
      (error: unknown) => error instanceof NotFoundError,
    ),
  );
});

test("a change that no event told of is found after a while", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { streamTrust: 50 } });
  await connected(client);
  context.server.publishQuietly("greeting", "Hi");
  await shows(client, "Hi");
  assert.equal(client.streaming, true);
});

test("another label's change asks for nothing", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  const asked = context.server.fetches("greeting").length;
  context.server.publish("greeting", "Draft", {}, "staging");
  context.server.publish("other", "x");
  context.server.publish("sentinel", "x");
  assert.equal((await client.get("sentinel")).content, "x");
  assert.equal((await client.get("greeting", LABEL)).content, "Hello");
  assert.equal(context.server.fetches("greeting").length, asked);
});

test("a change is known by the prompt's id when it was fetched by a former slug", async () => {
  context.server.publish("old-name", "Hello", { slug: "new-name", id: "id-new-name" });
  const client = context.client();
  await connected(client, "old-name");
  context.server.publishQuietly("old-name", "Hi", { slug: "new-name", id: "id-new-name" });
  context.server.tell("changed", {
    slug: "new-name",
    prompt_id: "id-new-name",
    label: "production",
    version: 2,
    revision: context.server.revision,
  });
  await shows(client, "Hi", "old-name");
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

test("after a restart of the server the stream is open again and memory current", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  await context.server.stop();
  await until("the stream is down", () => !client.streaming);
  context.server.publishQuietly("greeting", "Hi");
  await context.server.start();
  await shows(client, "Hi");
  await connected(client);
});

test("when the key ends, the stream ends, and calls say so", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { maxAge: 0 } });
  await connected(client);
  context.server.validKeys.clear();
  for (const stream of context.server.streams) stream.end();
  await until("refused", () =>
    client.get("greeting").then(
      () => false,
      (error: unknown) => error instanceof AuthError,
    ),
  );
});

test("close ends the stream, and further calls are refused", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client();
  await connected(client);
  await client.close();
  await until("no stream is left", () => context.server.streams.size === 0);
  await assert.rejects(client.get("greeting"), /closed/);
});

test("an open stream does not keep the program alive", async () => {
  context.server.publish("greeting", "Hello");
  const source = fileURLToPath(new URL("../../src/index.node.ts", import.meta.url));
  const program = `
    const { Xr2 } = await import(${JSON.stringify(source)});
    const client = new Xr2();
    const prompt = await client.get("greeting");
    while (!client.streaming) await new Promise((resolve) => setTimeout(resolve, 5));
    console.log(prompt.content);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    env: { ...process.env, XR2_URL: context.server.url, XR2_API_KEY: KEY },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill(), 60_000);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  clearTimeout(timer);
  assert.deepEqual([output, code], ["Hello\n", 0]);
});
