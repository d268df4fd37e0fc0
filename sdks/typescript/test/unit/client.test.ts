import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { UsageError, VERSION, Xr2, Xr2Error, xr2 } from "../../src/index.node.js";
import { KEY, until } from "../support/server.js";
import { useServer } from "../support/setup.js";

const context = useServer();
const POLLING = { stream: false };

test("the version is package.json's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  assert.equal(VERSION, manifest.version);
});

test("address and key come from the environment, and the address has a default", (t) => {
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  delete process.env["XR2_API_KEY"];
  delete process.env["XR2_URL"];
  assert.throws(
    () => new Xr2(),
    (error: unknown) => error instanceof UsageError && /XR2_API_KEY/.test(error.message),
  );
  process.env["XR2_API_KEY"] = `${KEY}\n`;
  assert.equal(xr2().url, "http://localhost:8000");
  process.env["XR2_URL"] = "https://prompts.example/";
  assert.equal(xr2().url, "https://prompts.example");
  assert.equal(xr2({ url: "https://other.example/base/api/v1/" }).url, "https://other.example/base");
});

for (const [name, options] of Object.entries({
  "an empty key": { apiKey: " " },
  "a key with a line break in it": { apiKey: "xr2_a\nb" },
  "no address": { apiKey: KEY, url: "prompts" },
  "another protocol": { apiKey: KEY, url: "ftp://prompts.example" },
  "a password in the address": { apiKey: KEY, url: "http://user:secret@prompts.example" },
  "a negative timeout": { apiKey: KEY, timeoutMs: -1 },
  "a cache of nothing": { apiKey: KEY, cacheSize: 0 },
})) {
  test(`${name} is refused, and nothing secret repeated`, () => {
    assert.throws(
      () => new Xr2(options),
      (error: unknown) => error instanceof UsageError && !/secret|xr2_a|xr2_test/.test(error.message),
    );
  });
}

test("the key is in nothing that is printed", async () => {
  const client = context.client(POLLING);
  await context.server.stop();
  const error = await client.get("greeting").catch((reason: unknown) => reason);
  assert.ok(error instanceof Xr2Error);
  const options = { showHidden: true, depth: Infinity };
  const shown =
    [client, error].map((one) => inspect(one, options)).join() + JSON.stringify([client, error]) + String(client);
  assert.ok(!shown.includes(KEY));
  assert.match(inspect(client), /Xr2 \{ url: 'http:\/\/127/);
  assert.match(error.message, /ECONNREFUSED/);
});

test("a call that cannot mean anything is refused before anything is sent", async () => {
  const client = context.client(POLLING);
  await assert.rejects(
    client.get("a", { label: "x", version: 1 }),
    (error: unknown) => error instanceof UsageError && error.code === "INVALID_ARGUMENT",
  );
  await assert.rejects(client.get("a", { label: "x", version: 1, fallback: "text" }), UsageError);
  await assert.rejects(client.get(""), UsageError);
  await assert.rejects(client.get(undefined as unknown as string), UsageError);
  await assert.rejects(client.get("a", { version: 1.5 }), UsageError);
  assert.equal(context.server.requests.length, 0);
});

test("a slug with unusual characters stays one segment of the path", async () => {
  const client = context.client(POLLING);
  await client.get("../admin?x=1", { fallback: "f" });
  assert.equal(context.server.requests[0]?.path, "/api/v1/prompts/..%2Fadmin%3Fx%3D1");
});

test("the fluent form renders, names the model, and takes another prompt when the first is not to be had", async () => {
  context.server.publish("welcome-generic", "Welcome, {{ name }}!");
  const client = context.client(POLLING);
  const request = client
    .getPrompt("welcome-message")
    .withVariables({ name: "John" })
    .optimizedFor("gpt-4")
    .fallback("welcome-generic");
  assert.equal(context.server.requests.length, 0, "nothing is asked before it is awaited");
  const prompt = await request;
  assert.deepEqual([prompt.slug, prompt.content, prompt.rendered], ["welcome-generic", "Welcome, John!", true]);
  assert.equal(context.server.fetches("welcome-message")[0]?.query.get("optimized_for"), "gpt-4");
  const asked = context.server.requests.length;
  assert.equal(await request, prompt);
  assert.equal(context.server.requests.length, asked, "awaiting again asks nothing");
});

test("the fluent form's words make new requests and leave the old one as it was", async () => {
  context.server.publish("greeting", "one {{ a }}");
  context.server.publish("greeting", "two {{ a }}{{ b }}");
  const client = context.client(POLLING);
  const base = client.getPrompt("greeting");
  assert.equal((await base.withVersion(1)).content, "one {{ a }}");
  assert.equal((await base.withVariables({ a: "1" }).withVariables({ b: "2" })).content, "two 12");
  assert.equal((await base).content, "two {{ a }}{{ b }}");
  await assert.rejects(base.withLabel("staging").timeout(1_000), /not found/);
  assert.equal(await base.withLabel("staging").catch(() => "caught"), "caught");
  let ended = false;
  await base.forUser("u1").finally(() => (ended = true));
  assert.ok(ended);
});

test("wrong values are told, not hidden behind the fluent form's other prompt", async () => {
  context.server.publish("greeting", "{{ n }}", { variables: [{ name: "n", type: "integer", required: true }] });
  context.server.publish("generic", "generic");
  const client = context.client(POLLING);
  await assert.rejects(Promise.resolve(client.getPrompt("greeting").withVariables({ n: "x" }).fallback("generic")), {
    code: "INVALID_VARIABLES",
  });
});

test("watch yields the prompt now and at every change, and ends with the signal", async () => {
  context.server.publish("greeting", "one");
  const client = context.client();
  const controller = new AbortController();
  const seen: (string | null)[] = [];
  for await (const prompt of client.watch("greeting", { signal: controller.signal })) {
    seen.push(prompt.content);
    if (seen.length === 1) {
      await until("the stream is open", () => client.streaming);
      context.server.publish("greeting", "two");
    } else if (seen.length === 2) {
      context.server.publish("unrelated", "x");
      context.server.publish("greeting", "three");
    } else {
      controller.abort();
    }
  }
  assert.deepEqual(seen, ["one", "two", "three"]);
});

test("watch works without a stream, and closing the client ends it", async () => {
  context.server.publish("greeting", "one");
  const client = context.client({ ...POLLING, timing: { maxAge: 0 } });
  const seen: (string | null)[] = [];
  for await (const prompt of client.watch("greeting")) {
    seen.push(prompt.content);
    if (seen.length === 1) context.server.publish("greeting", "two");
    else await client.close();
  }
  assert.deepEqual(seen, ["one", "two"]);
});
