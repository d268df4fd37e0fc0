import assert from "node:assert/strict";
import { test } from "node:test";
import { useServer } from "../support/setup.js";

const context = useServer();

async function made(config: Record<string, unknown>) {
  context.server.publish("greeting", "Hello {{ name }}", { config });
  return (await context.client({ stream: false }).get("greeting")).render({ name: "Ada" });
}

test("a provider's body is sent as it is: what goes with it is not enumerable", async () => {
  const prompt = await made({ model: "gpt-4o", temperature: 0.2, top_k: 5 });
  const body = prompt.toOpenAI();
  const expected = { model: "gpt-4o", messages: [{ role: "user", content: "Hello Ada" }], temperature: 0.2 };
  assert.deepEqual(JSON.parse(JSON.stringify(body)), expected);
  assert.deepEqual({ ...body }, expected);
  assert.deepEqual(
    body.warnings.map(({ code }) => code),
    ["SETTING_LEFT_OUT"],
  );
});

test("Google's model, which belongs into the address, is at hand and not in the body", async () => {
  const body = (await made({ model: "gemini-2.5-pro" })).toGoogle();
  assert.deepEqual({ ...body }, { contents: [{ role: "user", parts: [{ text: "Hello Ada" }] }] });
  assert.equal(body.model, "gemini-2.5-pro");
  assert.deepEqual(body.warnings, []);
});

test("a prompt without required values goes to a provider with its defaults filled in", async () => {
  const variables = [{ name: "name", type: "string", required: false, default: "you" }];
  context.server.publish("greeting", "Hello {{ name }}", { variables, config: { model: "claude-x", max_tokens: 9 } });
  const prompt = await context.client({ stream: false }).get("greeting");
  assert.deepEqual(
    { ...prompt.toAnthropic() },
    { model: "claude-x", max_tokens: 9, messages: [{ role: "user", content: "Hello you" }] },
  );
});

test("the model named for the prompt beats the config's, and the one named last beats both", async () => {
  context.server.publish("greeting", "Hello", { config: { model: "gpt-4o" } });
  const prompt = await context.client({ stream: false }).getPrompt("greeting").optimizedFor("gpt-4.1");
  assert.equal(prompt.toOpenAI().model, "gpt-4.1");
  assert.equal(prompt.toOpenAI({ model: "o3" }).model, "o3");
});
