import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConnectionError, fileSnapshot } from "../../src/index.node.js";
import { KEY } from "../support/server.js";
import { useServer } from "../support/setup.js";

const context = useServer();
const POLLING = { stream: false };

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xr2-snapshot-"));
  try {
    await work(join(folder, "sub", "prompts.json"));
  } finally {
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

test("another key's snapshot, a damaged one and a store that fails are as good as none", async () => {
  await withFile(async (path) => {
    context.server.publish("greeting", "Hello");
    const first = context.client({ ...POLLING, snapshot: fileSnapshot(path) });
    await first.get("greeting");
    await first.close();
    await context.server.stop();
    const other = context.client({ ...POLLING, apiKey: "xr2_another_key", snapshot: fileSnapshot(path) });
    await assert.rejects(other.get("greeting"), ConnectionError);

    for (const damaged of ["{ not json", '{"format":1}', "[]", '{"format":99,"scope":"","entries":[]}']) {
      await writeFile(path, damaged);
      await assert.rejects(
        context.client({ ...POLLING, snapshot: fileSnapshot(path) }).get("greeting"),
        ConnectionError,
      );
    }
    await context.server.start();
    const failing = {
      read: () => Promise.reject(new Error("disk")),
      write: () => {
        throw new Error("full");
      },
    };
    assert.equal((await context.client({ ...POLLING, snapshot: failing }).get("greeting")).content, "Hello");
  });
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
