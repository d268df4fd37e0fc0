import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export const KEY = "xr2_test_key_0123456789abcdefghijklmnopqrstuvwxyz";

/** A request the server saw. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Published {
  readonly version: number;
  readonly data: Record<string, unknown>;
}

type Handler = (request: Seen, response: ServerResponse) => boolean | Promise<boolean>;

/** A report of a client. */
export interface Report {
  readonly instance: string;
  readonly sdk: string;
  readonly revision?: number;
  readonly stream?: boolean;
  readonly serving?: readonly Record<string, unknown>[];
  readonly events: readonly Record<string, unknown>[];
}

/** What was said on the stream, for those who come back. */
interface Said {
  readonly revision: number;
  readonly label: string | undefined;
  readonly text: string;
}

/**
 * The delivery half of xr2's contract over real sockets, with switches for everything that
 * can go wrong on the way. Only what the SDK relies on is here.
 */
export class TestServer {
  readonly requests: Seen[] = [];
  readonly streams = new Set<ServerResponse>();
  revision = 0;
  /** Answers in the server's stead when it returns true. */
  intercept: Handler | undefined;
  /** When false, the stream is refused, as by a proxy that knows no such thing. */
  streamAllowed = true;
  /** When false, an opened stream greets nobody. */
  greets = true;
  validKeys = new Set([KEY]);
  /** When false, a server of before bundles: its stream only says that something changed. */
  modern = true;
  /** Reports taken so far. */
  readonly reports: Report[] = [];
  /** What the stream said before this revision cannot be said again. */
  replaysFrom = 0;
  /** Seconds between heartbeats, as the greeting says. */
  heartbeat: number | undefined;
  /** Seconds for which this node has been cut off from its database, as it says of itself. */
  stale: number | undefined;
  /** Prompts on a page of the bundle. */
  pageSize = 1_000;
  readonly #said: Said[] = [];
  readonly #listensTo = new WeakMap<ServerResponse, string | undefined>();
  readonly #labels = new Map<string, Published>();
  readonly #versions = new Map<string, Published>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Ends every connection and stops listening; `start` comes back on the same port. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }

  /** Makes a version, moves the label to it and tells the streams. */
  publish(slug: string, content: string | object[], more: Record<string, unknown> = {}, label = "production"): void {
    this.publishQuietly(slug, content, more, label);
    this.#announce(slug, label);
  }

  /** Moves a label to an older version and tells the streams. */
  moveLabel(slug: string, version: number, label = "production"): void {
    this.revision += 1;
    this.#labels.set(`${slug}@${label}`, this.#versions.get(`${slug}@${version}`)!);
    this.#announce(slug, label);
  }

  #announce(slug: string, label: string): void {
    const { version } = this.#labels.get(`${slug}@${label}`)!;
    const { revision } = this;
    this.tell("changed", { slug, prompt_id: `id-${slug}`, label, version, revision });
    if (!this.modern) return;
    this.tell("put", { revision, prompt: this.item(slug, label) }, label);
    this.tell("mark", { revision });
  }

  /** A prompt as the bundle and the stream carry it. */
  item(slug: string, label = "production"): Record<string, unknown> {
    return { ...this.#labels.get(`${slug}@${label}`)!.data, label };
  }

  /** `publish`, but no stream hears of it. */
  publishQuietly(
    slug: string,
    content: string | object[],
    more: Record<string, unknown> = {},
    label = "production",
  ): void {
    this.revision += 1;
    const version = [...this.#versions.keys()].filter((key) => key.startsWith(`${slug}@`)).length + 1;
    const chat = typeof content !== "string";
    const data = {
      id: `id-${slug}`,
      slug,
      title: slug,
      type: chat ? "chat" : "text",
      syntax: "simple",
      ...(chat ? { messages: content } : { content }),
      rendered: false,
      version,
      variables: [],
      config: {},
      tags: [],
      updated_at: "2026-11-21T21:00:00.000000Z",
      ...more,
    };
    this.#labels.set(`${slug}@${label}`, { version, data });
    this.#versions.set(`${slug}@${version}`, { version, data });
  }

  /** Deletes a prompt and tells the streams. */
  remove(slug: string): void {
    this.revision += 1;
    for (const key of [...this.#labels.keys()]) if (key.startsWith(`${slug}@`)) this.#labels.delete(key);
    for (const key of [...this.#versions.keys()]) if (key.startsWith(`${slug}@`)) this.#versions.delete(key);
    this.tell("changed", {
      slug,
      prompt_id: `id-${slug}`,
      label: "production",
      version: null,
      revision: this.revision,
    });
    if (!this.modern) return;
    const { revision } = this;
    this.tell("delete", { revision, id: `id-${slug}`, slug, label: "production" }, "production");
    this.tell("mark", { revision });
  }

  /** Nothing has happened since this revision, as after a restore from a backup. */
  setBack(revision: number): void {
    this.revision = revision;
    this.#said.splice(0, Infinity, ...this.#said.filter((said) => said.revision <= revision));
  }

  /** Says it to the streams of a label, or to all, and to those who come back later. */
  tell(event: string, data: unknown, label?: string): void {
    const text = `event: ${event}\nid: ${this.revision}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#said.push({ revision: this.revision, label, text });
    for (const stream of this.streams) if (this.#hears(stream, label)) stream.write(text);
  }

  #hears(stream: ServerResponse, label: string | undefined): boolean {
    const wanted = this.#listensTo.get(stream);
    return label === undefined || wanted === undefined || label === wanted;
  }

  tellRaw(text: string): void {
    for (const stream of this.streams) stream.write(text);
  }

  /** Requests for the bundle so far. */
  bundles(): Seen[] {
    return this.requests.filter(({ path }) => path === "/api/v1/bundle");
  }

  /** Openings of the stream so far. */
  openings(): Seen[] {
    return this.requests.filter(({ path }) => path === "/api/v1/stream");
  }

  /** Fetches of one prompt so far. */
  fetches(slug: string): Seen[] {
    return this.requests.filter(({ method, path }) => method === "GET" && path === `/api/v1/prompts/${slug}`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const seen = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    this.requests.push(seen);
    if (await this.intercept?.(seen, response)) return;
    const key = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1];
    if (!key || !this.validKeys.has(key)) return fail(response, 401, "UNAUTHENTICATED", "The API key is not valid");
    if (seen.path === "/api/v1/stream") return this.#stream(seen, response);
    if (this.modern && seen.path === "/api/v1/bundle") return this.#bundle(seen, response);
    if (this.modern && seen.path === "/api/v1/telemetry") return this.#report(seen, response);
    const fetched = /^\/api\/v1\/prompts\/([^/]+)$/.exec(seen.path);
    if (seen.method === "GET" && fetched) return this.#deliver(seen, decodeURIComponent(fetched[1]!), response);
    fail(response, 404, "NOT_FOUND", "Route not found");
  }

  #deliver(seen: Seen, slug: string, response: ServerResponse): void {
    const version = seen.query.get("version");
    const label = version ? null : (seen.query.get("label") ?? "production");
    const found = version ? this.#versions.get(`${slug}@${version}`) : this.#labels.get(`${slug}@${label}`);
    if (!found) return fail(response, 404, "NOT_FOUND", "Prompt not found");
    answer(seen, response, { ...found.data, label }, this.revision, this.#standing());
  }

  #standing(): Record<string, string> {
    return this.stale === undefined ? {} : { "X-XR2-Stale": String(this.stale) };
  }

  #bundle(seen: Seen, response: ServerResponse): void {
    const label = seen.query.get("label") ?? "production";
    const { revision } = this;
    const headers = {
      "Content-Type": "application/json",
      ETag: `"r${revision}-${label}"`,
      "X-XR2-Revision": String(revision),
      ...this.#standing(),
    };
    if (seen.headers["if-none-match"] === headers.ETag) return void response.writeHead(304, headers).end();
    const [of, from] = (seen.query.get("cursor") ?? `${revision}.0`).split(".").map(Number) as [number, number];
    if (of !== revision) return fail(response, 409, "CONFLICT", "The bundle has changed");
    const slugs = seen.query.get("slugs")?.split(",");
    const items = [...this.#labels.keys()]
      .filter((key) => key.endsWith(`@${label}`))
      .map((key) => key.slice(0, -label.length - 1))
      .filter((slug) => slugs === undefined || slugs.includes(slug))
      .map((slug) => this.item(slug, label));
    const next = from + this.pageSize < items.length ? `${revision}.${from + this.pageSize}` : null;
    const data = { revision, label, prompts: items.slice(from, from + this.pageSize) };
    const meta = { next_cursor: next, total: items.length };
    response.writeHead(200, headers).end(JSON.stringify({ success: true, data, meta }));
  }

  #report(seen: Seen, response: ServerResponse): void {
    const report = JSON.parse(seen.body) as Report;
    this.reports.push(report);
    const data = { accepted: report.events.length, duplicates: 0, rejected: [] };
    response.writeHead(202, { "Content-Type": "application/json" }).end(JSON.stringify({ success: true, data }));
  }

  #stream(seen: Seen, response: ServerResponse): void {
    if (!this.streamAllowed) return fail(response, 405, "METHOD_NOT_ALLOWED", "No streams here");
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
    response.flushHeaders();
    this.streams.add(response);
    this.#listensTo.set(response, this.modern ? (seen.query.get("label") ?? undefined) : undefined);
    response.on("close", () => this.streams.delete(response));
    if (!this.greets) return;
    const { revision, heartbeat } = this;
    const stale = this.stale === undefined ? undefined : true;
    response.write(`event: hello\nid: ${revision}\ndata: ${JSON.stringify({ revision, heartbeat, stale })}\n\n`);
    const last = seen.headers["last-event-id"];
    if (this.modern && typeof last === "string") this.#goOn(response, Number(last));
  }

  #goOn(stream: ServerResponse, after: number): void {
    const { revision } = this;
    if (after + 1 < this.replaysFrom || after > revision) {
      stream.write(`event: resync\nid: ${revision}\ndata: ${JSON.stringify({ revision })}\n\n`);
      return;
    }
    for (const { revision: at, label, text } of this.#said) {
      if (at > after && this.#hears(stream, label)) stream.write(text);
    }
    stream.write(`event: mark\nid: ${revision}\ndata: ${JSON.stringify({ revision })}\n\n`);
  }
}

/** Sends delivery data with its ETag and revision, or 304. */
export function answer(
  seen: Seen,
  response: ServerResponse,
  data: object,
  revision: number,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify({ success: true, data, meta: {} });
  const etag = `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`;
  const all = {
    "Content-Type": "application/json",
    ETag: etag,
    "X-XR2-Revision": String(revision),
    "Cache-Control": "private, no-cache",
    ...headers,
  };
  if (seen.headers["if-none-match"] === etag) {
    response.writeHead(304, all).end();
  } else {
    response.writeHead(200, all).end(text);
  }
}

export function fail(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  const error = { code, message, details: {}, request_id: "req-1" };
  response
    .writeHead(status, { "Content-Type": "application/json", ...headers })
    .end(JSON.stringify({ success: false, error }));
}

/** Waits for a condition; fails after a while, saying what did not come true. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Did not happen within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
