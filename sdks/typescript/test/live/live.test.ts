import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import {
  AuthError,
  InvalidVariablesError,
  MissingVariablesError,
  NotFoundError,
  Xr2,
  type Prompt,
  type Xr2Options,
} from "../../src/index.node.js";
import { until } from "../support/server.js";
import { Admin, environment } from "./server.js";

const { url, apiKey, adminKey } = environment();
const admin = new Admin(url, adminKey);
const clients: Xr2[] = [];

after(async () => {
  for (const client of clients) await client.close();
  await admin.cleanUp();
});

function connect(options: Xr2Options = {}): Xr2 {
  const client = new Xr2({ url, apiKey, ...options });
  clients.push(client);
  return client;
}

/** Waits until memory is kept current by the stream. */
async function streaming(client: Xr2, slug: string): Promise<void> {
  await until("served from the stream", async () => (await client.get(slug)).source === "stream");
}

const shows = (client: Xr2, slug: string, text: string): Promise<void> =>
  until(`"${text}"`, async () => (await client.get(slug)).content === text);

test("a prompt is fetched with everything that was published with it", async () => {
  const slug = await admin.create({
    content: "Hello {{ name }}",
    variables: [{ name: "name", type: "string", required: true, max_length: 20 }],
    config: { model: "gpt-4o", temperature: 0.2 },
    tags: ["sdk"],
  });
  const prompt = await connect().get(slug);
  assert.deepEqual(
    [prompt.slug, prompt.content, prompt.source, prompt.stale],
    [slug, "Hello {{ name }}", "api", false],
  );
  assert.deepEqual([prompt.type, prompt.syntax, prompt.version, prompt.label], ["text", "simple", 1, "production"]);
  assert.deepEqual(
    [prompt.config, prompt.tags, prompt.rendered],
    [{ model: "gpt-4o", temperature: 0.2 }, ["sdk"], false],
  );
  assert.match(prompt.updatedAt ?? "", /^\d{4}-\d\d-\d\dT.*Z$/);

  assert.equal((await prompt.render({ name: "Ada" })).content, "Hello Ada");
  await assert.rejects(prompt.render(), MissingVariablesError);
  await assert.rejects(prompt.render({ name: 3 }), InvalidVariablesError);
  const typo = await prompt.render({ name: "Ada", nmae: "x" });
  assert.deepEqual(
    typo.warnings.map(({ code, nearest }) => [code, nearest]),
    [["UNKNOWN_VARIABLE", "name"]],
  );
});

test("local rendering and the server's give the same", async () => {
  const slug = await admin.create({ content: "{{ s }}|{{ n }}|{{ b }}|{{ o.k }}|{{ l }}|{{ gone }}|{{{s}}}\n" });
  const values = { s: "{{ n }} <b>", n: 0.1, b: true, o: { k: 1e21 }, l: [1, "a", null, { z: 1, a: 2 }] };
  const local = await (await connect().get(slug)).render(values);
  const served = await admin.render(slug, values);
  assert.equal(local.content, served["content"]);
  assert.deepEqual(local.missing, served["missing"]);
});

test("a running client has a published text by way of the stream", async () => {
  const slug = await admin.create({ content: "one" });
  const client = connect();
  await streaming(client, slug);
  await admin.update(slug, { content: "two" });
  const published = performance.now();
  await shows(client, slug, "two");
  console.log(`published text in memory after ${(performance.now() - published).toFixed(1)} ms`);
  await until("served from the stream", async () => (await client.get(slug)).source === "stream");
});

test("without a stream a client has it by polling", async () => {
  const slug = await admin.create({ content: "one" });
  const client = connect({ stream: false });
  assert.equal((await client.get(slug)).content, "one");
  await admin.update(slug, { content: "two" });
  await shows(client, slug, "two");
});

test("what has not changed is answered by 304", async () => {
  const slug = await admin.create({ content: "one" });
  const statuses: number[] = [];
  const spy: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    statuses.push(response.status);
    return response;
  };
  const client = connect({ stream: false, fetch: spy, timing: { maxAge: 0 } });
  await client.get(slug);
  assert.equal((await client.get(slug)).content, "one");
  assert.deepEqual(statuses, [200, 304]);
});

test("rolling back is a publish like any other", async () => {
  const slug = await admin.create({ content: "one" });
  await admin.update(slug, { content: "two" });
  const client = connect();
  await shows(client, slug, "two");
  await streaming(client, slug);
  await admin.moveLabel(slug, "production", 1);
  await shows(client, slug, "one");
});

test("a version stays, whatever the label does", async () => {
  const slug = await admin.create({ content: "one" });
  await admin.update(slug, { content: "two" });
  const client = connect();
  const pinned = await client.get(slug, { version: 1 });
  assert.deepEqual([pinned.content, pinned.version], ["one", 1]);
  await shows(client, slug, "two");
});

test("a deleted prompt is evicted", async () => {
  const slug = await admin.create({ content: "one" });
  const client = connect();
  await streaming(client, slug);
  await admin.remove(slug);
  const gone = (): Promise<boolean> =>
    client.get(slug).then(
      () => false,
      (error: unknown) => error instanceof NotFoundError,
    );
  await until("not found", gone);
  assert.equal((await client.get(slug, { fallback: "instead" })).content, "instead");
});

test("a former slug goes on, and its changes are seen", async () => {
  const slug = await admin.create({ content: "one" });
  const client = connect();
  await streaming(client, slug);
  const renamed = `${slug}-renamed`;
  await admin.update(slug, { slug: renamed });
  await admin.update(renamed, { content: "two" });
  await shows(client, slug, "two");
  assert.equal((await client.get(slug)).slug, renamed);
});

test("jinja is rendered by the server, pinned to the version at hand", async () => {
  const slug = await admin.create({ syntax: "jinja", content: "{% for x in xs %}{{ x|upper }};{% endfor %}" });
  const client = connect();
  const prompt = await client.get(slug);
  assert.equal(prompt.syntax, "jinja");
  await admin.update(slug, { content: "{% if xs %}another{% endif %}" });
  const done = await prompt.render({ xs: ["a", "b"] });
  assert.deepEqual([done.content, done.version, done.label], ["A;B;", 1, "production"]);
});

test("chat with a placeholder renders, and goes to every provider", async () => {
  const slug = await admin.create({
    type: "chat",
    messages: [
      { role: "system", content: "You help {{ who }}." },
      { type: "placeholder", name: "history" },
      { role: "user", content: "{{ question }}" },
    ],
    config: { model: "gpt-4o", temperature: 0.2 },
  });
  const prompt = await connect().get(slug);
  const history = [
    { role: "user", content: "{{ who }}?" },
    { role: "assistant", content: "Yes." },
  ];
  const values = { who: "Ada", question: "Why?", history };
  const done: Prompt = await prompt.render(values);
  assert.deepEqual(
    done.messages?.map((message) => "content" in message && message.content),
    ["You help Ada.", "{{ who }}?", "Yes.", "Why?"],
  );
  for (const [format, made] of [
    ["openai", done.toOpenAI()],
    ["anthropic", done.toAnthropic()],
    ["google", done.toGoogle()],
  ] as const) {
    const served = await admin.render(slug, values, format);
    assert.deepEqual({ ...made }, served["request"], format);
  }
});

test("documents' fluent form", async () => {
  const generic = await admin.create({ content: "Welcome, {{ name }}!" });
  const prompt = await connect()
    .getPrompt("no-such-prompt-anywhere")
    .withVariables({ name: "John" })
    .optimizedFor("gpt-4")
    .fallback(generic);
  assert.equal(prompt.content, "Welcome, John!");
});

test("getMany", async () => {
  const slugs = await Promise.all(["a", "b", "c"].map((content) => admin.create({ content })));
  const all = await connect().getMany(slugs);
  assert.deepEqual(
    slugs.map((slug) => all[slug]?.content),
    ["a", "b", "c"],
  );
});

test("watch sees every publish", async () => {
  const slug = await admin.create({ content: "one" });
  const client = connect();
  const seen: (string | null)[] = [];
  for await (const prompt of client.watch(slug)) {
    seen.push(prompt.content);
    if (seen.length === 3) break;
    if (seen.length === 1) await streaming(client, slug);
    await admin.update(slug, { content: `text ${seen.length}` });
  }
  assert.deepEqual(seen, ["one", "text 1", "text 2"]);
});

test("a key that is not one is refused in words that do not repeat it", async () => {
  const client = connect({ apiKey: `xr2_${randomUUID()}` });
  await assert.rejects(
    client.get("anything"),
    (error: unknown) => error instanceof AuthError && error.status === 401 && !error.message.includes("xr2_"),
  );
});

test("a revoked key stops, also for a client that runs", async () => {
  const slug = await admin.create({ content: "one" });
  const { id, key } = await admin.createKey();
  const client = connect({ apiKey: key });
  await streaming(client, slug);
  await admin.revokeKey(id);
  const refused = (): Promise<boolean> =>
    client.get(slug).then(
      () => false,
      (error: unknown) => error instanceof AuthError,
    );
  await until("refused", refused);
});
