import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { TextStore } from "./platform.js";

/** A lock of this age was left by a process that was killed: writing takes milliseconds. */
const ABANDONED = 10_000;
const LOOK_EVERY = 20;
/** A store that stays locked for longer is given up, until the next time. */
const PATIENCE = 30_000;

const stores = new Map<string, TextStore>();

/** The store for a file; there is but one in a process. */
export function fileStore(path: string): TextStore {
  const absolute = resolve(path);
  let store = stores.get(absolute);
  if (!store) stores.set(absolute, (store = new FileStore(absolute)));
  return store;
}

/**
 * Keeps text in a file that only this user may read. The file is replaced as a whole, so a
 * program that is killed while writing leaves the former one; a lock file beside it keeps
 * processes from overwriting what another has just written.
 */
class FileStore implements TextStore {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<string | null> {
    try {
      return await readFile(this.#path, "utf8");
    } catch (error) {
      if (hasCode(error, "ENOENT")) return null;
      throw error;
    }
  }

  write(text: string): Promise<void> {
    return this.update(() => Promise.resolve(text));
  }

  /** One after the other: the clients of this process, and by the lock file other processes. */
  update(change: (text: string | null) => Promise<string | null>): Promise<void> {
    const done = this.#last.then(() => this.#locked(change));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #locked(change: (text: string | null) => Promise<string | null>): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    const lock = `${this.#path}.lock`;
    await take(lock);
    try {
      const text = await change(await this.read());
      if (text !== null) await this.#replace(text);
    } finally {
      await unlink(lock).catch(() => undefined);
    }
  }

  async #replace(text: string): Promise<void> {
    const temporary = `${this.#path}.${randomUUID()}`;
    try {
      await writeFile(temporary, text, { mode: 0o600 });
      await rename(temporary, this.#path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  }
}

/** Makes the lock file, as soon as nobody else has it. */
async function take(lock: string): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      const file = await open(lock, "wx", 0o600);
      return await file.close();
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    if (performance.now() > deadline) throw new Error(`another process has held ${lock} for too long`);
    await removeAbandoned(lock);
    await pause(LOOK_EVERY * (0.5 + Math.random()));
  }
}

async function removeAbandoned(lock: string): Promise<void> {
  const since = await stat(lock).then(
    ({ mtimeMs }) => mtimeMs,
    () => Infinity,
  );
  if (Date.now() - since > ABANDONED) await unlink(lock).catch(() => undefined);
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
