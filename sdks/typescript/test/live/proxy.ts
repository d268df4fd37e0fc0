import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export const STREAM = "/api/v1/stream";
export const BUNDLE = "/api/v1/bundle";
const TELEMETRY = "/api/v1/telemetry";

/** A proxy before a real server: it counts, blocks streams as some companies' proxies do, and holds answers back. */
export class Proxy {
  readonly #upstream: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<ServerResponse>();
  readonly #seen: { readonly path: string; readonly status: number }[] = [];
  /** Whether streams are refused. */
  blocked = false;
  #held: { readonly path: string; caught: boolean; readonly gate: Promise<void> } | undefined;
  #release: () => void = () => undefined;

  private constructor(upstream: string) {
    this.#upstream = new URL(upstream);
    this.#server = createServer((asked, answer) => this.#forward(asked, answer));
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async before(upstream: string): Promise<Proxy> {
    const proxy = new Proxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The statuses of all answers under a path. */
  answers(path: string): number[] {
    return this.#seen.filter((one) => one.path === path).map(({ status }) => status);
  }

  /** How often a client asked for prompts, be it one or all. */
  get askedForTexts(): number {
    return this.#seen.filter(({ path }) => path !== STREAM && path !== TELEMETRY).length;
  }

  /** From now on no stream gets through, and those that are open end. */
  blockStreams(): void {
    this.blocked = true;
    for (const stream of this.#streams) stream.destroy();
  }

  /** Keeps the next answer under a path until it is released. */
  hold(path: string): void {
    const gate = new Promise<void>((resolve) => (this.#release = resolve));
    this.#held = { path, caught: false, gate };
  }

  get caught(): boolean {
    return this.#held?.caught ?? false;
  }

  release(): void {
    this.#release();
    this.#held = undefined;
  }

  async close(): Promise<void> {
    this.release();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    const path = new URL(asked.url ?? "/", this.#upstream).pathname;
    if (path === STREAM && this.blocked) {
      this.#seen.push({ path, status: 502 });
      answer.writeHead(502).end();
      return;
    }
    const { hostname, port } = this.#upstream;
    const headers = { ...asked.headers, host: this.#upstream.host };
    const upstream = request({ hostname, port, method: asked.method, path: asked.url, headers, agent: false });
    upstream.on("response", (response) => void this.#answer(path, response, answer));
    upstream.on("error", () => answer.destroy());
    answer.once("close", () => upstream.destroy());
    asked.pipe(upstream);
  }

  async #answer(path: string, response: IncomingMessage, answer: ServerResponse): Promise<void> {
    const held = this.#held;
    if (held?.path === path && !held.caught) {
      held.caught = true;
      await held.gate;
    }
    const status = response.statusCode ?? 502;
    this.#seen.push({ path, status });
    if (path === STREAM) {
      this.#streams.add(answer);
      answer.once("close", () => this.#streams.delete(answer));
    }
    answer.writeHead(status, response.headers);
    answer.flushHeaders();
    response.pipe(answer);
    response.once("error", () => answer.destroy());
  }
}
