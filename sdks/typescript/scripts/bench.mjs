// What a read from memory costs: `get` and `render` of a simple prompt with two variables, as a
// program calls them, telemetry on. Run `npm run bench`; it builds first.
//
//   node scripts/bench.mjs [--json]
//
// A server of a few lines gives the client its bundle and its stream; then the loop runs, five
// rounds of it, and the median counts. Processor time is the process's own, so that a machine
// with other things to do does not spoil the figure.
import { createServer } from "node:http";
import { cpus } from "node:os";
import { Xr2 } from "../dist/esm/index.node.js";

const ROUNDS = 5;
const READS = 200_000;

const prompt = {
  id: "0198-bench",
  slug: "welcome-message",
  title: "Welcome",
  type: "text",
  syntax: "simple",
  content: "Hello {{ name }}, you have {{ count }} new messages. Is there anything we can do for you today?",
  version: 3,
  label: "production",
  variables: [
    { name: "name", type: "string", required: true },
    { name: "count", type: "integer", required: true },
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
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const client = new Xr2({ apiKey: "xr2_bench", url: `http://127.0.0.1:${server.address().port}` });
while ((await client.get("welcome-message")).source !== "stream") await new Promise(setImmediate);
const held = await client.get("welcome-message");

const scenarios = {
  "get and render": async (i) => (await (await client.get("welcome-message")).render({ name: "Ada", count: i })).content,
  get: async () => (await client.get("welcome-message")).content,
  renderSync: (i) => held.renderSync({ name: "Ada", count: i }).content,
};

async function measure(work) {
  let length = 0;
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  for (let i = 0; i < READS; i += 1) length += (await work(i)).length;
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
await client.close();
server.closeAllConnections();
server.close();

if (process.argv.includes("--json")) {
  console.log(JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, results }, null, 2));
} else {
  console.log(`Node ${process.version}, ${cpus()[0]?.model}; median of ${ROUNDS} rounds of ${READS} reads`);
  for (const [name, { wall_us, cpu_us }] of Object.entries(results)) {
    console.log(`${name.padEnd(16)} ${wall_us.toFixed(2).padStart(7)} µs wall ${cpu_us.toFixed(2).padStart(7)} µs processor`);
  }
}
