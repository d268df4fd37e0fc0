import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError, ConnectionError, NotFoundError, ServerError, TimeoutError } from "../../src/index.js";
import { answer, fail, until } from "../support/server.js";
import { useServer } from "../support/setup.js";

const context = useServer();
/** Without a stream the one-second rule alone decides. */
const POLLING = { stream: false };

test("a prompt is fetched once and then comes from memory", async () => {
  context.server.publish("greeting", "Hello", { config: { model: "m" }, tags: ["a"] });
  const client = context.client(POLLING);
  const first = await client.get("greeting");
  assert.equal(first.content, "Hello");
  assert.equal(first.source, "api");
  assert.equal(first.stale, false);
  assert.deepEqual([first.version, first.label, first.variant], [1, "production", null]);
  assert.deepEqual([first.config, first.tags], [{ model: "m" }, ["a"]]);
  assert.equal((await client.get("greeting")).source, "cache");
  assert.equal(context.server.fetches("greeting").length, 1);
  const [request] = context.server.fetches("greeting");
  assert.equal(request?.query.get("label"), "production");
  assert.match(request?.headers["user-agent"] ?? "", /^xr2-typescript\/\d/);
});

test("a hundred calls at once share one request", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client(POLLING);
  const prompts = await Promise.all(Array.from({ length: 100 }, () => client.get("greeting")));
  assert.ok(prompts.every(({ content }) => content === "Hello"));
  assert.equal(context.server.fetches("greeting").length, 1);
});

test("what is older than allowed is asked for again by ETag", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ ...POLLING, timing: { maxAge: 0 } });
  await client.get("greeting");
  assert.equal((await client.get("greeting")).content, "Hello");
  assert.ok(context.server.fetches("greeting")[1]?.headers["if-none-match"]);
  context.server.publish("greeting", "Hi");
  assert.equal((await client.get("greeting")).content, "Hi");
});

test("without a stream a publish is seen when the copy is a second old", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client(POLLING);
  await client.get("greeting");
  context.server.publish("greeting", "Hi");
  await until("the new text", async () => (await client.get("greeting")).content === "Hi");
});

test("a version is never served for a label, nor a label for a version", async () => {
  context.server.publish("greeting", "one");
  context.server.publish("greeting", "two");
  const client = context.client(POLLING);
  assert.equal((await client.get("greeting", { version: 1 })).content, "one");
  assert.equal((await client.get("greeting")).content, "two");
  assert.equal((await client.get("greeting", { version: 1 })).label, null);
  await assert.rejects(client.get("greeting", { label: "staging" }), NotFoundError);
});

test("a 404 evicts and throws; the fallback takes its place when given", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ ...POLLING, timing: { maxAge: 0 } });
  await client.get("greeting");
  context.server.remove("greeting");
  await assert.rejects(client.get("greeting"), (error: unknown) => {
    assert.ok(error instanceof NotFoundError);
    assert.deepEqual([error.status, error.code, error.requestId], [404, "NOT_FOUND", "req-1"]);
    assert.match(error.message, /"greeting"/);
    return true;
  });
  // Not even an outage brings the evicted copy back.
  await context.server.stop();
  await assert.rejects(client.get("greeting"), ConnectionError);
  const prompt = await client.get("greeting", { fallback: "Welcome, {{ name }}" });
  assert.deepEqual([prompt.source, prompt.stale, prompt.version], ["fallback", true, null]);
  assert.equal((await prompt.render({ name: "Ada" })).content, "Welcome, Ada");
});

test("a revoked key is told at once and its copy forgotten", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ ...POLLING, timing: { maxAge: 0 } });
  await client.get("greeting");
  context.server.validKeys.clear();
  await assert.rejects(client.get("greeting"), (error: unknown) => error instanceof AuthError && error.status === 401);
  await context.server.stop();
  await assert.rejects(client.get("greeting"), ConnectionError);
});

test("while the server is unwell the last good copy goes on, marked stale", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ ...POLLING, timing: { maxAge: 0, retryAfterFailure: 20 } });
  await client.get("greeting");
  context.server.intercept = (_, response) => (fail(response, 500, "INTERNAL", "Something broke"), true);
  const during = await client.get("greeting");
  assert.deepEqual([during.content, during.source, during.stale], ["Hello", "cache", true]);
  context.server.intercept = undefined;
  context.server.publish("greeting", "Hi");
  await until("the new text", async () => (await client.get("greeting")).content === "Hi");
  assert.equal((await client.get("greeting")).stale, false);
});

test("an outage costs one wait, not one a call: the server is asked on the side", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({
    ...POLLING,
    timeoutMs: 200,
    timing: { maxAge: 0, retryAfterFailure: 500, staleWait: 60_000 },
  });
  await client.get("greeting");
  context.server.intercept = () => true;
  assert.equal((await client.get("greeting")).stale, true);
  const before = performance.now();
  for (let i = 0; i < 200; i += 1) assert.equal((await client.get("greeting")).content, "Hello");
  // Each of them waiting would be 40 seconds.
  assert.ok(performance.now() - before < 20_000);
  context.server.intercept = undefined;
  await until("a fresh copy", async () => !(await client.get("greeting")).stale);
});

test("a copy that has been stale for long is not handed out before the server was asked again", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ ...POLLING, timing: { maxAge: 0, retryAfterFailure: 5 } });
  await client.get("greeting");
  await context.server.stop();
  assert.equal((await client.get("greeting")).stale, true);
  context.server.publishQuietly("greeting", "Hi");
  await context.server.start();
  const idleUntil = performance.now() + 60;
  await until("the failure is long ago", () => performance.now() > idleUntil);
  const prompt = await client.get("greeting");
  assert.deepEqual([prompt.content, prompt.stale], ["Hi", false]);
});

test("a server that hangs delays a call no longer than staleWait when there is a copy", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ ...POLLING, timeoutMs: 60_000, timing: { maxAge: 0, staleWait: 30 } });
  await client.get("greeting");
  context.server.intercept = () => true;
  const before = performance.now();
  assert.equal((await client.get("greeting")).stale, true);
  assert.ok(performance.now() - before < 30_000);
});

test("without a copy a hanging server is a TimeoutError after timeoutMs", async () => {
  context.server.intercept = () => true;
  const client = context.client({ ...POLLING, timeoutMs: 50 });
  await assert.rejects(client.get("greeting"), (error: unknown) => {
    assert.ok(error instanceof TimeoutError);
    assert.ok(!error.message.includes("xr2_test_key"));
    return true;
  });
});

test("a request is tried again after a failure that may pass, and not after one that will not", async () => {
  context.server.publish("greeting", "Hello");
  let failures = 2;
  context.server.intercept = (_, response) => failures-- > 0 && (fail(response, 503, "UNAVAILABLE", "Starting"), true);
  const client = context.client(POLLING);
  assert.equal((await client.get("greeting")).content, "Hello");
  assert.equal(context.server.fetches("greeting").length, 3);
  await assert.rejects(client.get("absent"), NotFoundError);
  assert.equal(context.server.fetches("absent").length, 1);
});

test("Retry-After is honoured when short and not waited for when long", async () => {
  context.server.publish("greeting", "Hello");
  let failures = 1;
  let wait = "1";
  context.server.intercept = (_, response) =>
    failures-- > 0 && (fail(response, 429, "RATE_LIMITED", "rate limit exceeded", { "Retry-After": wait }), true);
  const client = context.client(POLLING);
  const before = performance.now();
  assert.equal((await client.get("greeting")).content, "Hello");
  assert.ok(performance.now() - before >= 990);
  failures = 1;
  wait = "3600";
  await assert.rejects(client.get("other"), (error: unknown) => {
    assert.equal((error as { retryAfter?: number }).retryAfter, 3600);
    return true;
  });
  assert.equal(context.server.fetches("other").length, 1);
});

test("an answer of a lower revision never replaces a newer one", async () => {
  context.server.publish("greeting", "old");
  context.server.publish("greeting", "new");
  const client = context.client({ ...POLLING, timing: { maxAge: 0 } });
  assert.equal((await client.get("greeting")).content, "new");
  context.server.intercept = (seen, response) => {
    answer(
      seen,
      response,
      {
        id: "id-greeting",
        slug: "greeting",
        type: "text",
        syntax: "simple",
        content: "old",
        version: 1,
        label: "production",
      },
      1,
    );
    return true;
  };
  assert.equal((await client.get("greeting")).content, "new");
  context.server.intercept = undefined;
  context.server.publish("greeting", "newest");
  assert.equal((await client.get("greeting")).content, "newest");
});

test("an answer that is not xr2's is an error that says so, or the last good copy", async () => {
  context.server.intercept = (_, response) => {
    response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Welcome to nginx</h1>");
    return true;
  };
  const client = context.client({ ...POLLING, timing: { maxAge: 0 } });
  await assert.rejects(
    client.get("greeting"),
    (error: unknown) => error instanceof ServerError && /not xr2's/.test(error.message),
  );
});

test("memory is bounded: what was not used for longest goes first", async () => {
  for (const slug of ["a", "b", "c"]) context.server.publish(slug, slug);
  const client = context.client({ ...POLLING, cacheSize: 2 });
  await client.get("a");
  await client.get("b");
  await client.get("a");
  await client.get("c");
  await client.get("a");
  assert.equal(context.server.fetches("a").length, 1);
  await client.get("b");
  assert.equal(context.server.fetches("b").length, 2);
});

test("while no A/B test runs one copy serves every user; with one each user has their own", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ ...POLLING, timing: { maxAge: 60_000 } });
  for (const userId of ["u1", "u2", "u3", ""])
    assert.equal((await client.get("greeting", { userId })).content, "Hello");
  assert.equal(context.server.fetches("greeting").length, 1);

  const other = context.client({ ...POLLING, timing: { maxAge: 60_000 } });
  context.server.intercept = (seen, response) => {
    const user = seen.query.get("user_id");
    const base = { id: "x", slug: "greeting", type: "text", syntax: "simple", version: 2, label: "production" };
    const test = { id: "t", name: "t", variant: user === "u1" ? "a" : "b", assignment_id: "z" };
    answer(
      seen,
      response,
      { ...base, content: `for ${user}`, ab_test: test },
      9,
      user ? {} : { "Cache-Control": "no-store" },
    );
    return true;
  };
  const one = await other.get("greeting", { userId: "u1" });
  const two = await other.get("greeting", { userId: "u2" });
  assert.deepEqual([one.content, one.variant, two.content, two.variant], ["for u1", "a", "for u2", "b"]);
  const asked = context.server.requests.length;
  assert.equal((await other.get("greeting", { userId: "u1" })).source, "cache");
  assert.equal(context.server.requests.length, asked);
  await other.get("greeting");
  await other.get("greeting");
  assert.equal(context.server.requests.length, asked + 2);
});

test("the caller's signal ends the waiting with its reason, and the shared request goes on", async () => {
  context.server.publish("greeting", "Hello");
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  context.server.intercept = async () => (await held, false);
  const client = context.client(POLLING);
  const controller = new AbortController();
  const aborted = client.get("greeting", { signal: controller.signal });
  const patient = client.get("greeting");
  controller.abort(new Error("changed my mind"));
  await assert.rejects(aborted, /changed my mind/);
  release();
  assert.equal((await patient).content, "Hello");
  await assert.rejects(client.get("greeting", { signal: AbortSignal.abort(new Error("too late")) }), /too late/);
});

test("getMany gives all by slug, with fallbacks, and lists everything that failed", async () => {
  context.server.publish("a", "A");
  context.server.publish("b", "B");
  const client = context.client(POLLING);
  const both = await client.getMany(["a", "b", "a"]);
  assert.deepEqual(
    Object.entries(both).map(([slug, { content }]) => [slug, content]),
    [
      ["a", "A"],
      ["b", "B"],
    ],
  );
  assert.equal((await client.getMany(["a", "c"], { fallbacks: { c: "C" } }))["c"]?.content, "C");
  await assert.rejects(client.getMany(["a", "x"]), NotFoundError);
  await assert.rejects(client.getMany(["x", "a", "y"]), (error: unknown) => {
    assert.match((error as Error).message, /2 prompts.*"x".*"y"/);
    return true;
  });
});

test("what is handed out cannot be used to change what is kept", async () => {
  context.server.publish("greeting", [{ role: "user", content: "Hello" }], { config: { a: [1] } });
  const client = context.client(POLLING);
  const prompt = await client.get("greeting");
  assert.throws(() => ((prompt.messages as unknown as { content: string }[])[0]!.content = "changed"), TypeError);
  assert.throws(() => (prompt.config["a"] as number[]).push(2), TypeError);
});
