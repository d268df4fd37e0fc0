import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidVariablesError, MissingVariablesError, UsageError, type Prompt } from "../../src/index.js";
import { answer, fail } from "../support/server.js";
import { useServer } from "../support/setup.js";

const context = useServer();

async function prompt(content: string | object[], more: Record<string, unknown> = {}): Promise<Prompt> {
  context.server.publish("greeting", content, more);
  return context.client({ stream: false }).get("greeting");
}

test("render gives a new prompt, and rendering that one starts again from the template", async () => {
  const template = await prompt("Hello {{ name }}, {{ mood }}");
  const first = await template.render({ name: "{{ mood }}" });
  assert.equal(first.content, "Hello {{ mood }}, {{ mood }}", "a value is never read as a template");
  assert.deepEqual([first.rendered, first.missing, template.rendered], [true, ["mood"], false]);
  const second = first.renderSync({ name: "Ada", mood: "fine" });
  assert.deepEqual([second.content, second.missing], ["Hello Ada, fine", []]);
  assert.deepEqual([second.slug, second.version, second.label], ["greeting", 1, "production"]);
});

test("every problem is in the error and in its message", async () => {
  const variables = [
    { name: "name", type: "string", required: true },
    { name: "age", type: "integer", required: true, min: 18 },
    { name: "tone", type: "string", required: false, enum: ["warm", "dry"] },
  ];
  const template = await prompt("{{ name }}{{ age }}{{ tone }}", { variables });
  await assert.rejects(template.render({ age: 3, tone: "loud" }), (error: unknown) => {
    assert.ok(error instanceof MissingVariablesError && error instanceof InvalidVariablesError);
    assert.deepEqual(error.variables, [
      { name: "name", problem: "missing", expected: "string" },
      { name: "age", problem: "too_small", expected: "at least 18" },
      { name: "tone", problem: "not_in_enum", expected: "one of: warm, dry" },
    ]);
    assert.match(error.message, /missing name; age is too small \(expected at least 18\); tone is not one/);
    return true;
  });
});

test("names of Object's own machinery are names like any other", async () => {
  const template = await prompt("{{ constructor }} {{ __proto__ }} {{ a.constructor }}");
  const done = await template.render({ a: {} });
  assert.equal(done.content, "{{ constructor }} {{ __proto__ }} {{ a.constructor }}");
  assert.deepEqual(done.missing, ["constructor", "__proto__", "a.constructor"]);
});

test("values of JavaScript that JSON knows are taken, others refused with a word", async () => {
  const template = await prompt("{{ x }}");
  const date = new Date("2026-11-21T21:00:00Z");
  assert.equal((await template.render({ x: date })).content, "2026-11-21T21:00:00.000Z");
  assert.equal((await template.render({ x: 12345678901234567890n })).content, "12345678901234567890");
  assert.equal(
    (
      await template.render({
        x: new Map<string, unknown>([
          ["2", 1],
          ["1", [2n]],
        ]),
      })
    ).content,
    '{"2":1,"1":[2]}',
  );
  assert.equal((await template.render({ x: undefined })).content, "{{ x }}");
  assert.equal((await (await prompt("{{ a.on }}")).render({ a: { on: date } })).content, "2026-11-21T21:00:00.000Z");
  for (const values of ["x", ["x"], null, new Map()])
    await assert.rejects(template.render(values as never), UsageError);
  for (const x of [new Set([1]), NaN, Infinity, () => 1, Symbol("s")])
    await assert.rejects(template.render({ x }), UsageError);
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  await assert.rejects(template.render({ x: circle }), UsageError);
});

test("chat: texts and text parts are filled, placeholders take messages unparsed, the rest is left alone", async () => {
  const template = await prompt([
    { role: "system", content: "You are {{ who }}" },
    { type: "placeholder", name: "history", required: true },
    {
      role: "user",
      content: [
        { type: "text", text: "Look, {{ who }}" },
        { type: "image", url: "https://x.example/{{ who }}.png" },
      ],
    },
  ]);
  const history = [{ role: "user", content: "{{ who }}" }];
  const done = await template.render({ who: "Ada", history });
  assert.deepEqual(done.messages, [
    { role: "system", content: "You are Ada" },
    { role: "user", content: "{{ who }}" },
    {
      role: "user",
      content: [
        { type: "text", text: "Look, Ada" },
        { type: "image", url: "https://x.example/{{ who }}.png" },
      ],
    },
  ]);
  assert.equal(String(done), "system: You are Ada\n\nuser: {{ who }}\n\nuser: Look, Ada[image]");
  await assert.rejects(template.render({ who: "Ada" }), MissingVariablesError);
  await assert.rejects(template.render({ history: [{ role: "nobody" }] }), InvalidVariablesError);
});

test("jinja is rendered by the server, pinned to the version at hand", async () => {
  const template = await prompt("{% if a %}yes{% endif %}", { syntax: "jinja" });
  context.server.publishQuietly("greeting", "another");
  context.server.intercept = (seen, response) => {
    if (seen.method !== "POST") return false;
    answer(
      seen,
      response,
      {
        id: "id-greeting",
        slug: "greeting",
        type: "text",
        syntax: "jinja",
        content: "yes",
        rendered: true,
        missing: ["b"],
        version: 1,
        label: null,
      },
      1,
    );
    return true;
  };
  const done = await template.render({ a: 12345678901234567890n });
  assert.deepEqual(
    [done.content, done.rendered, done.missing, done.version, done.label],
    ["yes", true, ["b"], 1, "production"],
  );
  const request = context.server.requests.at(-1);
  assert.equal(request?.path, "/api/v1/prompts/id-greeting/render");
  assert.equal(request?.body, '{"variables":{"a":12345678901234567890},"version":1}');
  assert.throws(() => template.renderSync({}), UsageError);
  assert.throws(() => template.toOpenAI(), /not rendered yet/);
  assert.doesNotThrow(() => done.toOpenAI());
});

test("a key confined to a label that has moved on gets what the label points at", async () => {
  const template = await prompt("{{ a|upper }}", { syntax: "jinja" });
  context.server.intercept = (seen, response) => {
    if (seen.body.includes('"version":1')) {
      fail(response, 403, "FORBIDDEN", "This key is confined to labels");
    } else {
      assert.equal(seen.body, '{"variables":{},"label":"production"}');
      answer(
        seen,
        response,
        {
          id: "id-greeting",
          slug: "greeting",
          type: "text",
          syntax: "jinja",
          content: "two",
          rendered: true,
          version: 2,
          label: "production",
        },
        2,
      );
    }
    return true;
  };
  const done = await template.render();
  assert.deepEqual([done.content, done.version], ["two", 2]);
});

test("the server's word on wrong values comes as the same errors", async () => {
  const template = await prompt("{{ a|upper }}", { syntax: "jinja" });
  const details = { variables: [{ name: "a", problem: "missing", expected: "string" }] };
  context.server.intercept = (_, response) => {
    const error = { code: "MISSING_VARIABLES", message: "Missing: `a`.", details, request_id: "r" };
    response.writeHead(422, { "Content-Type": "application/json" }).end(JSON.stringify({ success: false, error }));
    return true;
  };
  await assert.rejects(
    template.render(),
    (error: unknown) =>
      error instanceof MissingVariablesError && error.requestId === "r" && error.variables.length === 1,
  );
  context.server.intercept = (_, response) => (fail(response, 422, "TEMPLATE_ERROR", "Too much"), true);
  await assert.rejects(template.render(), { name: "TemplateError", code: "TEMPLATE_ERROR" });
});

test("a pattern that only the server's engine knows is checked by the server", async () => {
  const variables = [{ name: "a", type: "string", required: true, pattern: "(?i)^x$" }];
  const template = await prompt("{{ a }}", { variables });
  assert.throws(() => template.renderSync({ a: "X" }), UsageError);
  context.server.intercept = (seen, response) => {
    answer(
      seen,
      response,
      {
        id: "id-greeting",
        slug: "greeting",
        type: "text",
        syntax: "simple",
        content: "X",
        rendered: true,
        version: 1,
        label: null,
      },
      1,
    );
    return true;
  };
  assert.equal((await template.render({ a: "X" })).content, "X");
});

test("what the server has rendered already is left as it is", async () => {
  const done = await prompt("{{ not a variable", { rendered: true, syntax: "jinja", missing: ["m"] });
  const again = await done.render({ typo: 1 });
  assert.deepEqual([again.content, again.missing], ["{{ not a variable", ["m"]]);
  assert.equal(again.warnings[0]?.code, "UNKNOWN_VARIABLE");
});

test("a provider never gets a template: required values must have been given", async () => {
  const template = await prompt("{{ name }}", { variables: [{ name: "name", type: "string", required: true }] });
  assert.throws(() => template.toOpenAI(), MissingVariablesError);
});

test("a fallback of messages is a chat prompt, and one's own array stays one's own", async () => {
  const fallback = [{ role: "user" as const, content: "Hi {{ name }}" }];
  const client = context.client({ stream: false });
  const got = await client.get("absent", { fallback });
  assert.deepEqual([got.type, got.source, got.warnings[0]?.code], ["chat", "fallback", "FALLBACK_USED"]);
  fallback[0]!.content = "changed";
  assert.deepEqual(got.renderSync({ name: "Ada" }).messages, [{ role: "user", content: "Hi Ada" }]);
  assert.equal((await client.render("absent", { name: "Ada" }, { fallback: "Hi {{ name }}" })).content, "Hi Ada");
});
