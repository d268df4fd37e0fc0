import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The browser these tests run in; they never skip. */
function program(): string {
  const found = process.env["CHROMIUM"] ?? NAMES.find((name) => spawnSync(name, ["--version"]).status === 0);
  if (!found) throw new Error("These tests need Chromium: install it, or set CHROMIUM to its path");
  return found;
}

/** A browser that shows one page and keeps nothing. */
export class Chromium {
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
  }

  static async open(url: string): Promise<Chromium> {
    const folder = await mkdtemp(join(tmpdir(), "xr2-chromium-"));
    const options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    const child = spawn(program(), [...options, `--user-data-dir=${folder}`, "--remote-debugging-port=0", url], {
      stdio: "ignore",
    });
    return new Chromium(child, folder);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode === null && this.#process.kill()) await ended;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
