import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../support/server.js";
import { Admin } from "./server.js";

const PATIENCE = 60_000;

/** A server of one's own, to be killed and started again. `XR2_TEST_BINARY` names the program. */
export class OwnServer {
  readonly url: string;
  readonly folder: string;
  readonly #binary: string;
  readonly #port: number;
  #process: ChildProcess | undefined;
  apiKey = "";
  admin!: Admin;

  private constructor(binary: string, folder: string, port: number) {
    this.#binary = binary;
    this.folder = folder;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async boot(): Promise<OwnServer> {
    const binary = process.env["XR2_TEST_BINARY"];
    if (!binary) throw new Error("XR2_TEST_BINARY is not set: it names the server to start and to kill");
    const server = new OwnServer(binary, await mkdtemp(join(tmpdir(), "xr2-live-")), await freePort());
    await server.start();
    const keys = JSON.parse(await readFile(server.#credentials, "utf8")) as Record<string, string>;
    server.apiKey = keys["api_key"] ?? "";
    server.admin = new Admin(server.url, keys["admin_api_key"] ?? "");
    return server;
  }

  get #credentials(): string {
    return join(this.folder, "credentials.json");
  }

  /** Starts it, and waits until it is ready. */
  async start(): Promise<void> {
    const log = openSync(join(this.folder, "log"), "a");
    const options = ["serve", "--demo", "--listen", `127.0.0.1:${this.#port}`, "--data-dir", join(this.folder, "data")];
    const stdio = ["ignore", log, log] as const;
    this.#process = spawn(this.#binary, [...options, "--credentials-file", this.#credentials], { stdio: [...stdio] });
    closeSync(log);
    await until("the server is ready", () => this.#isReady(), PATIENCE);
  }

  async #isReady(): Promise<boolean> {
    const answer = await fetch(`${this.url}/ready`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok ?? false;
  }

  /** Kills it without a word. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
