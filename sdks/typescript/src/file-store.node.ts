import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { TextStore } from "./platform.js";

const stores = new Map<string, TextStore>();

/** The store for a file; there is but one in a process. */
export function fileStore(path: string): TextStore {
  const absolute = resolve(path);
  let store = stores.get(absolute);
  if (!store) stores.set(absolute, (store = makeStore(absolute)));
  return store;
}

/**
 * Keeps text in a file that only this user may read. The file is replaced as a whole, so a
 * program that is killed while writing leaves the former one.
 */
function makeStore(path: string): TextStore {
  return {
    async read() {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },
    async write(text) {
      await mkdir(dirname(path), { recursive: true });
      const temporary = `${path}.${randomUUID()}`;
      try {
        await writeFile(temporary, text, { mode: 0o600 });
        await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      }
    },
  };
}
