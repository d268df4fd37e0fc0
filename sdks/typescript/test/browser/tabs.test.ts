import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { KEY, until, type Seen } from "../support/server.js";
import { useServer } from "../support/setup.js";
import { Chromium } from "./chromium.js";

const context = useServer();
let browser: Chromium | undefined;

afterEach(async () => {
  await browser?.close();
});

/** The SDK as a page loads it. */
async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL("../../src/index.ts", import.meta.url));
  const built = await build({ entryPoints: [entry], bundle: true, format: "esm", platform: "browser", write: false });
  return built.outputFiles[0]!.text;
}

/** A tab: says what it sees, and whether its memory is kept current by a stream. */
const TAB = `<!doctype html><script type="module">
  import { Xr2 } from "/sdk.js";
  const tab = new URLSearchParams(location.search).get("tab");
  const client = new Xr2({ apiKey: "${KEY}", url: location.origin, timing: { streamRetry: 10, resyncJitter: 10 } });
  const say = (word) => fetch("/said", { method: "POST", body: tab + " " + word });
  while ((await client.get("greeting")).source !== "stream") await new Promise((resolve) => setTimeout(resolve, 5));
  say("listens");
  for await (const prompt of client.watch("greeting")) say(prompt.content);
</script>`;

/** Tabs in frames: of the same origin, they share what tabs share. Opens and closes them as told. */
const PAGE = `<!doctype html><script type="module">
  for (;;) {
    const [what, tab] = (await (await fetch("/command")).text()).split(" ");
    if (what === "close") document.getElementById(tab).remove();
    const frame = { id: tab, src: "/tab?tab=" + tab };
    if (what === "open") document.body.append(Object.assign(document.createElement("iframe"), frame));
    if (what === "") await new Promise((resolve) => setTimeout(resolve, 20));
  }
</script>`;

/** Serves the pages, collects what the tabs say, and hands out commands one by one. */
async function openBrowser(said: string[], commands: string[]): Promise<void> {
  const files: Record<string, [type: string, text: string]> = {
    "/sdk.js": ["text/javascript", await bundle()],
    "/tab": ["text/html", TAB],
    "/": ["text/html", PAGE],
  };
  context.server.intercept = (seen: Seen, response) => {
    if (seen.path.startsWith("/api/")) return false;
    if (seen.path === "/said") said.push(seen.body);
    const text = seen.path === "/command" ? commands.shift() : undefined;
    const [type, body] = files[seen.path] ?? ["text/plain", text ?? ""];
    response.writeHead(200, { "Content-Type": type }).end(body);
    return true;
  };
  browser = await Chromium.open(`${context.server.url}/`);
}

test("tabs share one stream, and another tab leads when the leader is closed", async () => {
  const said: string[] = [];
  const commands: string[] = [];
  const all = (...words: string[]): Promise<void> =>
    until(words.join(", "), () => words.every((word) => said.includes(word)), 60_000);
  context.server.publish("greeting", "one");
  await openBrowser(said, commands);
  for (const tab of [1, 2, 3]) {
    commands.push(`open ${tab}`);
    await all(`${tab} listens`, `${tab} one`);
  }
  assert.equal(context.server.openings().length, 1);
  context.server.publish("greeting", "two");
  await all("1 two", "2 two", "3 two");
  assert.equal(context.server.bundles().length, 3, "followers have it from the leader");

  commands.push("close 1");
  await until("another leader", () => context.server.openings().length === 2);
  context.server.publish("greeting", "three");
  await all("2 three", "3 three");
  assert.equal(context.server.streams.size, 1);
  assert.ok(!said.includes("1 three"));
});
