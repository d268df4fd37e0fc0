import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Xr2 } from "../../src/index.js";
import { fail, KEY, until, type Report } from "../support/server.js";
import { useServer } from "../support/setup.js";

const context = useServer();
const OFTEN = { telemetryEvery: 20, telemetryGap: 10 };
const SELDOM = { telemetryEvery: 600_000, telemetryGap: 600_000 };

async function connected(client: Xr2): Promise<number> {
  let reads = 0;
  await until("served from the stream", async () => {
    reads += 1;
    return (await client.get("greeting")).source === "stream";
  });
  return reads;
}

const events = (): Report["events"] => context.server.reports.flatMap((report) => report.events);
const counted = (version: number): number =>
  events()
    .filter((event) => event["version"] === version)
    .reduce((sum, { count }) => sum + Number(count), 0);

test("reads are added up by version and label, and close sends what is left", async () => {
  context.server.publish("greeting", "Hello");
  context.server.publish("greeting", "Draft", {}, "staging");
  const client = context.client({ instance: "web-1", timing: SELDOM });
  let reads = await connected(client);
  for (let i = 0; i < 998; i += 1, reads += 1) await client.get("greeting");
  await until("staging", async () => (await client.get("greeting", { label: "staging" })).source === "stream");
  await client.close();
  const report = context.server.reports.at(-1);
  assert.deepEqual([report?.instance, report?.sdk], ["web-1", "typescript/0.1.0"]);
  assert.equal(events().length, 2);
  const [first, second] = events();
  const { id, at, latency_us, ...rest } = first ?? {};
  assert.ok(Number(latency_us) > 0 && Number(latency_us) < 1_000_000, `${String(latency_us)} µs`);
  assert.equal(report?.stream, true);
  assert.deepEqual(rest, {
    type: "delivery",
    prompt: "greeting",
    version: 1,
    label: "production",
    variant: null,
    count: reads,
  });
  assert.ok(Math.abs(Date.parse(String(at)) - Date.now()) < 60_000);
  assert.deepEqual([second?.["label"], second?.["version"]], ["staging", 2]);
  assert.notEqual(id, second?.["id"]);
});

test("what the server delivered itself is not counted twice", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ stream: false, timing: { ...SELDOM, maxAge: 60_000 } });
  for (let i = 0; i < 5; i += 1) await client.get("greeting");
  await client.close();
  assert.equal(counted(1), 4);
});

test("a new revision is reported at once, with what is in use here and since when", async () => {
  context.server.publish("greeting", "Hello");
  context.server.publish("unused", "x");
  const client = context.client({ timing: { ...OFTEN, telemetryEvery: 600_000 } });
  await connected(client);
  await until("a first report", () => context.server.reports.some(({ revision }) => revision === 2));
  const before = Date.now();
  context.server.publish("greeting", "Hi");
  await until("the report", () => context.server.reports.some(({ revision }) => revision === 3));
  const report = context.server.reports.find(({ revision }) => revision === 3);
  assert.deepEqual(report?.events, []);
  const [serving, ...others] = report?.serving ?? [];
  assert.deepEqual(others, []);
  assert.deepEqual([serving?.["prompt"], serving?.["label"], serving?.["version"]], ["greeting", "production", 2]);
  assert.ok(Date.parse(String(serving?.["since"])) >= before);
});

test("where streams are blocked, a publish gets to a client that reads nothing, and the server hears of it", async () => {
  context.server.publish("greeting", "Hello");
  context.server.streamAllowed = false;
  const client = context.client({ timing: { ...OFTEN, telemetryEvery: 600_000, pollEvery: 20 } });
  await client.get("greeting");
  await until("polls by ETag", () => context.server.bundles().at(-1)?.headers["if-none-match"] === '"r1-production"');
  context.server.publish("greeting", "Hi");
  const heard = (revision: number): Report | undefined =>
    context.server.reports.find((report) => report.revision === revision);
  await until("the report", () => heard(2) !== undefined);
  assert.deepEqual([heard(2)?.serving?.map(({ version }) => version), heard(2)?.stream], [[2], false]);
  context.server.streamAllowed = true;
  await connected(client);
  const asked: number[] = [];
  for (const revision of [3, 4, 5, 6]) {
    context.server.publish("greeting", `Hi ${revision}`);
    await until("the report", () => heard(revision) !== undefined);
    asked.push(context.server.bundles().length);
  }
  // What was on its way when the stream opened has come by the first of them.
  assert.equal(asked.at(-1), asked[0], "polling is retired");
});

test("a revision that comes in while a report is under way is reported after it", async () => {
  context.server.publish("greeting", "Hello");
  const heard = new Set<unknown>();
  context.server.intercept = async (seen) => {
    if (seen.path !== "/api/v1/telemetry") return false;
    heard.add((JSON.parse(seen.body) as Report).revision);
    // The answer takes longer than the next revision.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return false;
  };
  const client = context.client({ timing: { ...OFTEN, telemetryEvery: 600_000 } });
  await connected(client);
  await until("a first report", () => heard.has(1));
  context.server.publish("greeting", "Hi");
  await until("the next one", () => heard.has(2));
});

test("a client that reads nothing says now and then that it is there", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ timing: { ...OFTEN, telemetryIdle: 50 } });
  await connected(client);
  await until("the reads", () => events().length > 0);
  const heard = context.server.reports.length;
  await until("three more", () => context.server.reports.length >= heard + 3);
  assert.deepEqual(context.server.reports.at(-1)?.events, []);
});

test("what could not be sent is sent again, under the same ids, and nothing is lost", async () => {
  context.server.publish("greeting", "Hello");
  const tried: Report[] = [];
  context.server.intercept = (seen, response) => {
    if (seen.path !== "/api/v1/telemetry") return false;
    tried.push(JSON.parse(seen.body) as Report);
    fail(response, 503, "UNAVAILABLE", "Not now");
    return true;
  };
  const client = context.client({ timing: OFTEN });
  const reads = await connected(client);
  await until("two attempts", () => tried.filter(({ events: sent }) => sent.length > 0).length > 1);
  context.server.intercept = undefined;
  await until("all of it", () => counted(1) === reads);
  const ids = events().map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const first = tried.find(({ events: sent }) => sent.length > 0)?.events[0]?.["id"];
  assert.ok(ids.includes(first));
});

test("what the server will never take is dropped rather than sent for ever", async () => {
  context.server.publish("greeting", "Hello");
  const refused: unknown[] = [];
  context.server.intercept = (seen, response) => {
    const sent = seen.path === "/api/v1/telemetry" ? (JSON.parse(seen.body) as Report).events : [];
    if (sent.length === 0) return false;
    refused.push(...sent.map(({ id }) => id));
    fail(response, 422, "VALIDATION_ERROR", "No");
    return true;
  };
  const client = context.client({ timing: OFTEN });
  await connected(client);
  await until("the refusal", () => refused.length > 0);
  context.server.intercept = undefined;
  await client.get("greeting");
  await until("the next one", () => events().length > 0);
  const ids = events().map(({ id }) => id);
  assert.deepEqual(
    ids.filter((id) => refused.includes(id)),
    [],
  );
});

test("a server that hangs or knows no telemetry costs a read nothing", async () => {
  context.server.publish("greeting", "Hello");
  let asked = 0;
  context.server.intercept = (seen, response) => {
    if (seen.path !== "/api/v1/telemetry") return false;
    asked += 1;
    if (asked > 1) fail(response, 404, "NOT_FOUND", "Route not found");
    return true;
  };
  const client = context.client({ timeoutMs: 200, timing: OFTEN });
  await connected(client);
  for (let i = 0; i < 1_000; i += 1) assert.equal((await client.get("greeting")).source, "stream");
  await until("both answers", () => asked === 2);
  for (let i = 0; i < 1_000; i += 1) assert.equal((await client.get("greeting")).source, "stream");
  await client.close();
  assert.equal(asked, 2, "it is left alone after that");
});

test("telemetry: false sends nothing", async () => {
  context.server.publish("greeting", "Hello");
  const client = context.client({ telemetry: false, timing: OFTEN });
  await connected(client);
  await client.close();
  assert.equal(context.server.requests.filter(({ path }) => path.endsWith("/telemetry")).length, 0);
});

test("neither stream nor timers keep a program alive, and its reads are reported as it ends", async () => {
  context.server.publish("greeting", "Hello");
  const source = fileURLToPath(new URL("../../src/index.node.ts", import.meta.url));
  const program = `
    const { Xr2 } = await import(${JSON.stringify(source)});
    const client = new Xr2();
    let prompt;
    let reads = 0;
    do {
      prompt = await client.get("greeting");
      reads += 1;
    } while (prompt.source !== "stream");
    console.log(prompt.content, reads);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    env: { ...process.env, XR2_URL: context.server.url, XR2_API_KEY: KEY },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill(), 60_000);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  clearTimeout(timer);
  assert.equal(code, 0);
  assert.equal(output, `Hello ${counted(1)}\n`);
});
