// What a read from memory costs: `get` and `render` of a simple prompt with two variables, as a
// program calls them, telemetry on. Run `npm run bench`; it builds first.
//
//   node scripts/bench.mjs                                     # a server of a few lines, in this process
//   XR2_URL=… XR2_API_KEY=… node scripts/bench.mjs SLUG [--json]  # a running one; variables `name` and `product`
//
// Once the stream is open the loop runs, five rounds of it, and the median counts. Beside the time
// on the clock, which `--json` prints, stands processor time: the process's own, so that a machine
// with other things to do does not spoil it.
import { createServer } from "node:http";
import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { Xr2 } from "../dist/esm/index.node.js";

const ROUNDS = 5;
const READS = 200_000;
/** How long the stream may take to come about, in ms. */
const PATIENCE = 10_000;
const VALUES = { name: "Ada", product: "xr2" };

const prompt = {
  id: "0198-bench",
  slug: "welcome-message",
  title: "Welcome",
  type: "text",
  syntax: "simple",
  content: "Hello {{ name }}, welcome to {{ product }}! What can we do for you today?",
  version: 3,
  label: "production",
  variables: [
    { name: "name", type: "string", required: true },
    { name: "product", type: "string", required: true },
  ],
  config: { model: "gpt-4o", temperature: 0.2 },
  tags: ["bench"],
  updated_at: "2026-01-01T00:00:00.000000Z",
};

/** As many prompts as a busy workspace has, the one that is read among them. */
const others = Array.from({ length: 999 }, (_, i) => ({ ...prompt, id: `id-${i}`, slug: `other-${i}` }));
const bundle = JSON.stringify({
  success: true,
  data: { revision: 1, label: "production", prompts: [...others, prompt] },
  meta: { total: 1_000, next_cursor: null },
});

function serve(request, response) {
  if (request.url.startsWith("/api/v1/bundle")) {
    response.writeHead(200, { "Content-Type": "application/json", ETag: '"r1"' }).end(bundle);
  } else if (request.url.startsWith("/api/v1/stream")) {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write('event: hello\nid: 1\ndata: {"revision":1,"heartbeat":15}\n\n');
  } else if (request.method === "GET") {
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ success: true, data: prompt }));
  } else {
    request.resume();
    response.writeHead(202, { "Content-Type": "application/json" }).end('{"success":true,"data":{}}');
  }
}

const server = createServer(serve);

/** Starts it and says where it is. */
async function start() {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

const slug = process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "welcome-message";
const client = process.env.XR2_URL ? new Xr2() : new Xr2({ apiKey: "xr2_bench", url: await start() });

/** The prompt, which the stream must be keeping current: else what is measured is something else. */
async function fromStream() {
  const prompt = await client.get(slug);
  if (prompt.source !== "stream") throw new Error(`the prompt is read from "${prompt.source}", not from the stream`);
  return prompt;
}

const endsAt = performance.now() + PATIENCE;
while ((await client.get(slug)).source !== "stream" && performance.now() < endsAt) await pause(5);
const held = await fromStream();

const scenarios = {
  get: async () => (await client.get(slug)).content,
  render: async () => (await held.render(VALUES)).content,
  "get and render": async () => (await (await client.get(slug)).render(VALUES)).content,
  renderSync: () => held.renderSync(VALUES).content,
};

async function measure(work) {
  let length = 0;
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  for (let i = 0; i < READS; i += 1) length += (await work()).length;
  const wall = ((performance.now() - before) * 1_000) / READS;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (length === 0) throw new Error("nothing was rendered");
  return { wall, cpu: (user + system) / READS };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const results = {};
// Interleaved, so that a noisy minute spoils all of them alike; one round to warm up.
const rounds = Object.fromEntries(Object.keys(scenarios).map((name) => [name, []]));
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [name, work] of Object.entries(scenarios)) {
    // The stream and the reports get their turn between measurements.
    await pause(1);
    const figures = await measure(work);
    if (round > 0) rounds[name].push(figures);
  }
}
for (const [name, figures] of Object.entries(rounds)) {
  results[name] = {
    wall_us: Number(median(figures.map(({ wall }) => wall)).toFixed(3)),
    cpu_us: Number(median(figures.map(({ cpu }) => cpu)).toFixed(3)),
  };
}
await fromStream();
await client.close();
if (server.listening) {
  server.closeAllConnections();
  server.close();
}

if (process.argv.includes("--json")) {
  const rows = Object.fromEntries(Object.entries(results).map(([name, { wall_us }]) => [name, wall_us]));
  console.log(JSON.stringify({ runtime: `Node ${process.version}`, rows }));
} else {
  console.log(`Node ${process.version}, ${cpus()[0]?.model}; median of ${ROUNDS} rounds of ${READS} reads`);
  for (const [name, { wall_us, cpu_us }] of Object.entries(results)) {
    console.log(`${name.padEnd(16)} ${wall_us.toFixed(2).padStart(7)} µs wall ${cpu_us.toFixed(2).padStart(7)} µs processor`);
  }
}
