import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidVariablesError, Prompt, UsageError } from "../../src/index.js";
import { toAnthropic } from "../../src/providers/anthropic.js";
import { toGoogle } from "../../src/providers/google.js";
import { toOpenAI } from "../../src/providers/openai.js";
import { discover, renderLocally, type Template } from "../../src/render.js";
import type { Message, PromptData } from "../../src/types.js";
import { toText } from "../../src/values.js";
import { casesOf, plain, readJson } from "../support/conformance.js";

interface RenderCase {
  name: string;
  syntax: "simple" | "none";
  content?: string;
  messages?: unknown;
  variables: unknown;
  values: unknown;
  expect?: unknown;
  error?: unknown;
}

/** Only what the cases say of a warning; they leave its sentence open. */
function essence({ code, variable, nearest }: { code: string; variable?: string; nearest?: string }): object {
  return { code, variable, ...(nearest === undefined ? {} : { nearest }) };
}

for (const one of casesOf<RenderCase>("simple.json")) {
  test(`simple: ${one.name}`, () => {
    const isChat = one.messages !== undefined;
    const template = {
      slug: "case",
      syntax: one.syntax,
      variables: plain(one.variables),
      ...(isChat ? { messages: plain(one.messages) } : { content: one.content }),
    } as Template;
    // In a chat the values hold messages, which are objects like any other.
    const values = plain(one.values, isChat ? Infinity : 1) as Record<string, unknown>;
    if (one.error === undefined) {
      const { warnings, ...rendered } = renderLocally(template, values);
      const expected = plain(one.expect) as { warnings?: Parameters<typeof essence>[0][] };
      assert.deepEqual(
        { ...rendered, warnings: warnings.map(essence) },
        { ...expected, warnings: (expected.warnings ?? []).map(essence) },
      );
    } else {
      assert.throws(
        () => renderLocally(template, values),
        (error: unknown) => {
          assert.ok(error instanceof InvalidVariablesError);
          assert.deepEqual({ code: error.code, variables: error.variables }, plain(one.error));
          return true;
        },
      );
    }
  });
}

for (const one of casesOf<{ name: string; value?: unknown; json?: string; text: string }>("values.json")) {
  test(`values: ${one.name}`, () => {
    assert.equal(toText(one.json === undefined ? one.value : readJson(one.json)), one.text);
  });
}

interface DiscoverCase {
  name: string;
  content?: string;
  messages?: unknown;
  expect: { syntax: string; variables: string[] };
}

const discoverable = casesOf<DiscoverCase>("discover.json").map((one) => ({
  ...one,
  expect: plain(one.expect) as DiscoverCase["expect"],
}));
for (const one of discoverable.filter(({ expect }) => expect.syntax === "simple")) {
  test(`discover: ${one.name}`, () => {
    const messages = plain(one.messages) as Message[] | undefined;
    const content = messages ? { messages } : { content: one.content ?? "" };
    assert.deepEqual(discover(content), one.expect.variables);
  });
}

interface ProviderCase {
  name: string;
  content?: string;
  messages?: unknown;
  config?: unknown;
  format: "openai" | "anthropic" | "google";
  expect: unknown;
}

const CONVERT = { openai: toOpenAI, anthropic: toAnthropic, google: toGoogle };

for (const one of casesOf<ProviderCase>("providers.json")) {
  test(`providers: ${one.format}: ${one.name}`, () => {
    const data = {
      slug: "case",
      content: one.content,
      messages: plain(one.messages),
      config: plain(one.config),
    } as unknown as PromptData;
    const made = CONVERT[one.format](data);
    const expected = plain(one.expect) as { request: unknown; warnings?: string[] };
    assert.deepEqual(JSON.parse(JSON.stringify(made)), expected.request);
    assert.deepEqual(
      made.warnings.map(({ code }) => code),
      expected.warnings ?? [],
    );
  });
}

for (const one of casesOf<{ name: string; content: string; values: unknown }>("jinja.json")) {
  test(`jinja is the server's: ${one.name}`, async () => {
    const asked: unknown[] = [];
    const data: PromptData = {
      id: "1",
      slug: "case",
      type: "text",
      syntax: "jinja",
      content: one.content,
      version: 1,
      label: null,
    };
    const prompt = new Prompt(data, {
      source: "api",
      stale: false,
      warnings: [],
      renderOnServer: (_, values) => {
        asked.push(values);
        return Promise.resolve({ data: { ...data, content: "as the server has it", rendered: true }, warnings: [] });
      },
    });
    const values = plain(one.values, 1) as Record<string, unknown>;
    assert.throws(() => prompt.renderSync(values), UsageError);
    assert.equal((await prompt.render(values)).content, "as the server has it");
    assert.deepEqual(asked, [values]);
  });
}
