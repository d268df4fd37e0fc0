import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AuthError, ConnectionError, fileSnapshot, type Warning, type Xr2 } from "../../src/index.node.js";
import { Snapshot, type SnapshotContent } from "../../src/snapshot.js";
import type { PromptData } from "../../src/types.js";
import { KEY, until } from "../support/server.js";
import { useServer } from "../support/setup.js";

const context = useServer();
const POLLING = { stream: false };

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xr2-snapshot-"));
  try {
    await work(join(folder, "sub", "prompts.json"));
  } finally {
    await context.closeClients();
    await rm(folder, { recursive: true });
  }
}

test("a program that starts while the server is away goes on with what it knew", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    const before = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    await before.get("greeting");
    await before.close();
    await context.server.stop();

    const after = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    const prompt = await after.get("greeting");
    assert.deepEqual([prompt.content, prompt.source, prompt.stale, prompt.version], ["Hello", "disk", true, 1]);
    await assert.rejects(after.get("unknown"), ConnectionError);
  });
});

test("what is on disk is checked by ETag before it is used, when the server is there", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    const before = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    await before.get("greeting");
    await before.close();

    const same = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    const prompt = await same.get("greeting");
    assert.deepEqual([prompt.content, prompt.source, prompt.stale], ["Hello", "api", false]);
    assert.ok(context.server.fetches("greeting")[1]?.headers["if-none-match"]);
    assert.equal((await same.get("greeting")).source, "cache");

    context.server.publish("greeting", "Hi");
    const later = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    assert.equal((await later.get("greeting")).content, "Hi");
  });
});

test("the file holds no key, is for this user only, and leaves nothing beside it", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    const client = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    await client.get("greeting");
    await client.close();
    assert.ok(!(await readFile(path, "utf8")).includes(KEY));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(path, "..")), ["prompts.json"]);
  });
});

/** What a program that kept whole labels leaves in the file. */
async function leave(path: string): Promise<string> {
  const client = context.client({ snapshot: fileSnapshot(path) });
  await until("served from the stream", async () => (await client.get("greeting")).source === "stream");
  await client.close();
  return readFile(path, "utf8");
}

test("a whole label is kept, so that a start without the server knows prompts nobody asked for before", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    context.server.publish("other", "never asked for");
    await leave(path);
    await context.server.stop();
    const client = context.client({ snapshot: fileSnapshot(path) });
    const prompt = await client.get("other");
    assert.deepEqual([prompt.content, prompt.source, prompt.stale], ["never asked for", "disk", true]);
    const before = performance.now();
    for (let i = 0; i < 1_000; i += 1) assert.equal((await client.get("greeting")).source, "disk");
    assert.ok(performance.now() - before < 20_000);
    await context.server.start();
    await until("served from the stream", async () => (await client.get("greeting")).source === "stream");
  });
});

test("a server that hangs delays a start no longer than staleWait, and only the first read of it", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    await leave(path);
    context.server.intercept = () => true;
    const timing = { staleWait: 50, bundleWait: 60_000 };
    const client = context.client({ snapshot: fileSnapshot(path), timeoutMs: 60_000, telemetry: false, timing });
    const before = performance.now();
    for (let i = 0; i < 500; i += 1) assert.equal((await client.get("greeting")).source, "disk");
    // Each of them waiting would be 25 seconds.
    assert.ok(performance.now() - before < 15_000);
  });
});

test("a start with the server goes on where the last run ended: a 304, and the stream from there", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    await leave(path);
    const bundles = context.server.bundles().length;
    const client = context.client({ snapshot: fileSnapshot(path) });
    assert.equal((await client.get("greeting")).source, "api");
    await until("served from the stream", async () => (await client.get("greeting")).source === "stream");
    assert.equal(context.server.bundles()[bundles]?.headers["if-none-match"], '"r1-production"');
    assert.equal(context.server.openings().at(-1)?.headers["last-event-id"], "1");
    await client.close();
    context.server.publish("greeting", "Hi");
    const later = context.client({ snapshot: fileSnapshot(path) });
    assert.equal((await later.get("greeting")).content, "Hi");
  });
});

test("a label nobody asks for in this run stays in the snapshot", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    context.server.publish("greeting", "Draft", {}, "staging");
    const before = context.client({ snapshot: fileSnapshot(path) });
    await before.get("greeting", { label: "staging" });
    await before.close();
    await leave(path);
    await context.server.stop();
    const client = context.client({ snapshot: fileSnapshot(path) });
    assert.equal((await client.get("greeting", { label: "staging" })).content, "Draft");
    assert.equal((await client.get("greeting")).content, "Hello");
  });
});

test("a revoked key's prompts leave the snapshot", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    assert.match(await leave(path), /Hello/);
    context.server.validKeys.clear();
    const client = context.client({ snapshot: fileSnapshot(path) });
    await assert.rejects(client.get("greeting"), AuthError);
    await client.close();
    assert.doesNotMatch(await readFile(path, "utf8"), /Hello/);
  });
});

test("when the key is revoked nothing is left of any label or version, in memory or on disk", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    context.server.publish("greeting", "Draft", {}, "staging");
    const open = (): Xr2 => context.client({ snapshot: fileSnapshot(path) });
    const before = open();
    await before.get("greeting", { version: 1 });
    await before.get("greeting", { label: "staging" });
    await before.close();
    assert.match(await leave(path), /Draft/);

    const client = open();
    assert.equal((await client.get("greeting", { version: 1 })).content, "Hello");
    await until("served from the stream", async () => (await client.get("greeting")).source === "stream");
    context.server.validKeys.clear();
    for (const stream of context.server.streams) stream.end();
    const isRefused = (error: unknown): boolean => error instanceof AuthError && error.status === 401;
    const refused = (): Promise<boolean> => client.get("greeting").then(() => false, isRefused);
    await until("refused", refused);
    await assert.rejects(client.get("greeting", { version: 1 }), isRefused);
    await assert.rejects(client.get("greeting", { label: "staging" }), isRefused);
    await until("the file is empty", async () => !/Hello|Draft/.test(await readFile(path, "utf8")));
    await client.close();
    assert.doesNotMatch(await readFile(path, "utf8"), /Hello|Draft/);
    await context.server.stop();
    await assert.rejects(open().get("greeting", { version: 1 }), ConnectionError);
  });
});

test("a version on disk is not handed out once the key is revoked", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    const before = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    await before.get("greeting", { version: 1 });
    await before.close();
    context.server.validKeys.clear();
    const after = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    await assert.rejects(after.get("greeting", { version: 1 }), AuthError);
    await after.close();
    assert.doesNotMatch(await readFile(path, "utf8"), /Hello/);
  });
});

/** A snapshot of one label and one version, as a process writes it that holds them at these revisions. */
function contentOf(feed: number, single: number): SnapshotContent {
  const prompt = { id: "id-greeting", slug: "greeting", content: `text ${feed}` } as PromptData;
  const query = { slug: "greeting", label: undefined, version: 1, userId: undefined, optimizedFor: undefined };
  return {
    feeds: { production: { revision: feed, etag: `"r${feed}"`, prompts: [prompt] } },
    singles: [{ query, data: prompt, warnings: [], revision: single, noStore: false }],
  };
}

function snapshotOf(path: string, content: SnapshotContent): Snapshot {
  return new Snapshot(fileSnapshot(path), { url: "http://127.0.0.1", apiKey: KEY }, () => content, ({ message }) => assert.fail(message));
}

async function save(snapshot: Snapshot): Promise<void> {
  snapshot.saveSoon();
  await snapshot.flush();
}

test("an older snapshot overwrites nothing newer, label by label, and what is the same is not written", async () => {
  await withFile(async (path) => {
    await save(snapshotOf(path, contentOf(7, 3)));
    await save(snapshotOf(path, contentOf(5, 9)));
    const kept = await snapshotOf(path, contentOf(0, 0)).load();
    assert.deepEqual([kept.feeds["production"]?.revision, kept.singles[0]?.revision], [7, 9]);
    const { ino } = await stat(path);
    await save(snapshotOf(path, contentOf(6, 8)));
    assert.equal((await stat(path)).ino, ino, "the file was not replaced");
    // After a restore from a backup the lower revision is the later one.
    const { production } = contentOf(6, 8).feeds;
    await save(snapshotOf(path, { feeds: { production: { ...production!, setBackFrom: 7 } }, singles: [] }));
    assert.equal((await snapshotOf(path, contentOf(0, 0)).load()).feeds["production"]?.revision, 6);
    assert.deepEqual(await readdir(join(path, "..")), ["prompts.json"]);
  });
});

test("a lock that a killed process left is not waited for", async () => {
  await withFile(async (path) => {
    await save(snapshotOf(path, contentOf(1, 1)));
    await writeFile(`${path}.lock`, "");
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${path}.lock`, longAgo, longAgo);
    await save(snapshotOf(path, contentOf(2, 2)));
    assert.equal((await snapshotOf(path, contentOf(0, 0)).load()).feeds["production"]?.revision, 2);
  });
});

const DAMAGES: Record<string, (text: string) => string> = {
  "cut in its content": (text) => text.slice(0, -20),
  "cut in its header": (text) => text.slice(0, 20),
  "with another text in it": (text) => text.replace("Hello", "Pay me"),
  "with a prompt put in": (text) => text.replace('"prompts":[', '"prompts":[{"id":"x","slug":"x","content":"x"},'),
  "of another version": (text) => text.replace('"xr2_snapshot":2', '"xr2_snapshot":3'),
  "of another server": (text) => text.replace("127.0.0.1", "127.0.0.2"),
  "with bytes that are no text": (text) => `\0\u{ffff}${text}`,
  "without a signature": (text) => text.replace(/"mac":"[^"]*"/, '"mac":""'),
  "of two lines of nothing": () => "\n\n",
  "that is another program's JSON": () => '{"name":"package"}\n{}\n',
};
for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`a snapshot ${name} is ignored with a warning`, async () => {
    await withFile(async (path) => {
      context.server.publish("greeting", "Hello");
      const text = await leave(path);
      assert.notEqual(damage(text), text);
      await writeFile(path, damage(text));
      await context.server.stop();
      const warnings: Warning[] = [];
      const client = context.client({ snapshot: fileSnapshot(path), onWarning: (warning) => warnings.push(warning) });
      await assert.rejects(client.get("greeting"), ConnectionError);
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ["SNAPSHOT_IGNORED"],
      );
      assert.doesNotMatch(warnings[0]?.message ?? "", new RegExp(KEY));
    });
  });
}

test("another key's snapshot is none of ours", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    await leave(path);
    await context.server.stop();
    const codes: string[] = [];
    const onWarning = ({ code }: Warning): void => void codes.push(code);
    const client = context.client({ apiKey: "xr2_another_key", snapshot: fileSnapshot(path), onWarning });
    await assert.rejects(client.get("greeting"), ConnectionError);
    assert.deepEqual(codes, ["SNAPSHOT_IGNORED"]);
  });
});

test("a store that fails disturbs nobody, and is told of", async () => {
  context.server.publish("greeting", "Hello");
  const failing = {
    read: () => Promise.reject(new Error("disk")),
    write: () => {
      throw new Error("full");
    },
  };
  const warnings: Warning[] = [];
  const client = context.client({ snapshot: failing, onWarning: (warning) => warnings.push(warning) });
  assert.equal((await client.get("greeting")).content, "Hello");
  await until("both warnings", () => warnings.length >= 2);
  assert.match(warnings[0]?.message ?? "", /disk/);
  assert.match(warnings[1]?.message ?? "", /full/);
});

test("a deleted prompt leaves the snapshot as well", async () => {
  let text: string | null = null;
  const memory = { read: () => text, write: (next: string) => void (text = next) };
  context.server.publish("greeting", "Hello");
  const client = context.client({ ...POLLING, snapshot: memory, timing: { maxAge: 0 } });
  await client.get("greeting");
  context.server.remove("greeting");
  await assert.rejects(client.get("greeting"));
  await client.close();
  assert.ok(text !== null && !(text as string).includes("Hello"));
});
