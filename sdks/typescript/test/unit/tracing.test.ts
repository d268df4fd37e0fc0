import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { context as contextApi, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { until } from "../support/server.js";
import { useServer } from "../support/setup.js";

const server = useServer();
const spans = new InMemorySpanExporter();

before(() => {
  contextApi.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
});

after(() => {
  contextApi.disable();
  trace.disable();
});

/** What stands on a span after the work was done inside of it. */
async function attributesAfter(work: () => Promise<unknown>): Promise<unknown> {
  spans.reset();
  await trace.getTracer("test").startActiveSpan("call the model", async (span) => {
    await work();
    span.end();
  });
  return spans.getFinishedSpans()[0]?.attributes;
}

test("the active span says which prompt, version and label it was, wherever the prompt came from", async () => {
  server.server.publish("greeting", "Hello {{ name }}");
  const client = server.client();
  const expected = { "xr2.prompt.slug": "greeting", "xr2.prompt.version": 1, "xr2.prompt.label": "production" };
  assert.deepEqual(await attributesAfter(() => client.get("greeting")), expected);
  await until("the stream is open", async () => (await client.get("greeting")).source === "stream");
  assert.deepEqual(await attributesAfter(() => client.get("greeting")), expected);
  const prompt = await client.get("greeting");
  assert.deepEqual(await attributesAfter(() => prompt.render({ name: "Ada" })), expected);
  const { "xr2.prompt.label": _, ...pinned } = expected;
  assert.deepEqual(await attributesAfter(() => client.get("greeting", { version: 1 })), pinned);
});

test("a variant is named, and a fallback is told by its slug alone", async () => {
  server.server.publish("greeting", "Hello", { ab_test: { id: "t", variant: "b" } });
  const client = server.client();
  assert.deepEqual(await attributesAfter(() => client.get("greeting")), {
    "xr2.prompt.slug": "greeting",
    "xr2.prompt.version": 1,
    "xr2.prompt.label": "production",
    "xr2.prompt.variant": "b",
  });
  const other = await client.get("absent", { fallback: "Hello {{ name }}" });
  assert.deepEqual(await attributesAfter(() => other.render({ name: "Ada" })), { "xr2.prompt.slug": "absent" });
});

test("a second prompt on the same span leaves nothing of the first", async () => {
  server.server.publish("tested", "Hello", { ab_test: { id: "t", variant: "b" } });
  server.server.publish("plain", "Hi");
  const client = server.client();
  const both = async (): Promise<void> => {
    await client.get("tested");
    await client.get("plain", { version: 1 });
  };
  assert.deepEqual(await attributesAfter(both), { "xr2.prompt.slug": "plain", "xr2.prompt.version": 1 });
});

test("without an active span, and with one that fails, nothing happens", async (t) => {
  server.server.publish("greeting", "Hello");
  const client = server.client();
  assert.equal((await client.get("greeting")).content, "Hello");
  await trace.getTracer("test").startActiveSpan("broken", async (span) => {
    t.mock.method(span, "setAttributes", () => {
      throw new Error("no attributes today");
    });
    assert.equal((await client.get("greeting")).content, "Hello");
    span.end();
  });
});
