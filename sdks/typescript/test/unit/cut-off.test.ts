import assert from "node:assert/strict";
import { test } from "node:test";
import { NotFoundError, type Xr2 } from "../../src/index.js";
import { fail, until } from "../support/server.js";
import { useServer } from "../support/setup.js";

/** A node that is cut off from its database, and says so: it may be behind, and is not believed over what is newer. */
const context = useServer();
/** Whoever is believed after a while is believed at the second time. */
const IMPATIENT = { maxAge: 0, olderGrace: 0, retryAfterFailure: 10 };

async function connected(client: Xr2): Promise<void> {
  await until("served from the stream", async () => (await client.get("greeting")).source === "stream");
}

async function shows(client: Xr2, text: string): Promise<void> {
  await until(`"${text}"`, async () => (await client.get("greeting")).content === text);
}

/** From now on the server is what it was long ago. */
function setBack(text: string): void {
  context.server.setBack(4);
  context.server.publishQuietly("greeting", text);
}

test("bundles and streams of a node that is cut off undo nothing, and a restored server is believed", async () => {
  context.server.revision = 100;
  context.server.publish("greeting", "new");
  const client = context.client({ timing: { ...IMPATIENT, pollEvery: 10 } });
  await connected(client);
  context.server.stale = 60;
  setBack("old");
  const [asked, opened] = [context.server.bundles().length, context.server.openings().length];
  for (const stream of context.server.streams) stream.destroy();
  await until("it is asked time and again", async () => {
    const prompt = await client.get("greeting");
    assert.equal(prompt.content, "new");
    return prompt.stale && context.server.bundles().length >= asked + 5 && context.server.openings().length > opened;
  });
  assert.equal(client.streaming, false);
  context.server.stale = undefined;
  await shows(client, "old");
  await connected(client);
  context.server.publish("greeting", "newest");
  await shows(client, "newest");
});

test("single prompts of a node that is cut off undo nothing, and a restored server is believed", async () => {
  context.server.revision = 100;
  context.server.publish("greeting", "new");
  const client = context.client({ stream: false, timing: IMPATIENT });
  await client.get("greeting");
  context.server.stale = 60;
  setBack("old");
  const asked = context.server.fetches("greeting").length;
  await until("it is asked time and again", async () => {
    const prompt = await client.get("greeting");
    assert.equal(prompt.content, "new");
    return prompt.stale && context.server.fetches("greeting").length >= asked + 5;
  });
  context.server.stale = undefined;
  await shows(client, "old");
});

test("a stream of a node that is cut off is listened to, and left as soon as some node is in touch", async () => {
  context.server.publish("greeting", "Hello");
  context.server.stale = 60;
  const client = context.client({ timing: { maxAge: 600_000, pollEvery: 20 } });
  await client.get("greeting");
  context.server.intercept = (seen, response) =>
    seen.path === "/api/v1/bundle" && (fail(response, 503, "UNAVAILABLE", "Not now"), true);
  await until("the stream is open", () => context.server.streams.size === 1);
  context.server.publish("greeting", "Hi");
  await shows(client, "Hi");
  assert.deepEqual([(await client.get("greeting")).source, client.streaming], ["cache", false]);
  context.server.intercept = undefined;
  context.server.stale = undefined;
  await connected(client);
  assert.equal(client.streaming, true);
  assert.ok(context.server.openings().length > 1);
});

test("what such a node tells late is no news", async () => {
  context.server.publish("greeting", "Hello");
  context.server.publish("other", "gone by now");
  const prompt = context.server.item("other");
  context.server.remove("other");
  const client = context.client({ timing: { maxAge: 600_000 } });
  await connected(client);
  context.server.stale = 60;
  context.server.setBack(1);
  for (const stream of context.server.streams) stream.destroy();
  await until("another stream", () => context.server.openings().length === 2 && context.server.streams.size === 1);
  context.server.tellRaw(`event: put\nid: 2\ndata: ${JSON.stringify({ revision: 2, prompt })}\n\n`);
  context.server.revision = 3;
  context.server.publish("greeting", "Hi");
  await shows(client, "Hi");
  await assert.rejects(client.get("other"), NotFoundError);
});
