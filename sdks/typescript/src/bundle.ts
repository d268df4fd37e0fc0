import { ApiError, ServerError } from "./errors.js";
import type { MirroredPrompt } from "./mirror.js";
import { isPrompt } from "./stream.js";
import { revisionOf, saysStale } from "./headers.js";
import type { ApiAnswer, Transport } from "./transport.js";

/** Which part of a workspace is kept in memory. */
export interface Selection {
  readonly label: string;
  readonly slugs: readonly string[];
  readonly tags: readonly string[];
}

/** What a stream tells of: one label, or all of them. */
type Wanted = Omit<Selection, "label"> & { readonly label: string | undefined };

/** The selection as a query; the same for the bundle and the stream. */
export function queryOf({ label, slugs, tags }: Wanted): Record<string, string | undefined> {
  return { label, slugs: slugs.join(",") || undefined, tags: tags.join(",") || undefined };
}

/** How a bundle is asked for. */
export interface BundleRequest {
  readonly selection: Selection;
  /** Of the bundle at hand. */
  readonly etag: string | undefined;
  /** The node that answers must have come so far. */
  readonly minRevision: number | undefined;
  /** With more prompts than this there is no keeping them all. */
  readonly limit: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What a server has. `isStale`: it says itself that there may be something newer. */
export type BundleAnswer =
  | {
      readonly kind: "bundle";
      readonly revision: number;
      readonly etag: string | undefined;
      readonly prompts: readonly MirroredPrompt[];
      readonly isStale: boolean;
    }
  /** What is at hand is what the server has. */
  | { readonly kind: "same"; readonly revision: number | undefined; readonly isStale: boolean }
  /** An older server, which has no bundles. */
  | { readonly kind: "unsupported" }
  | { readonly kind: "too-large"; readonly total: number };

interface Page {
  readonly revision: number;
  readonly prompts: readonly MirroredPrompt[];
  readonly cursor: string | undefined;
  readonly total: number;
}

/** The pages of a bundle are of one revision. So often we begin anew when the server moved on meanwhile. */
const ATTEMPTS = 3;
const PAGE = 1_000;
const UNSUPPORTED = new Set([404, 405, 501]);

/** Fetches everything a label delivers, page by page. */
export async function fetchBundle(transport: Transport, request: BundleRequest): Promise<BundleAnswer> {
  const deadline = performance.now() + request.timeoutMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchPages(transport, request, deadline);
    } catch (error) {
      if (isUnsupported(error)) return { kind: "unsupported" };
      const movedOn = error instanceof ApiError && error.status === 409;
      if (!movedOn || attempt >= ATTEMPTS) throw error;
    }
  }
}

async function fetchPages(transport: Transport, request: BundleRequest, deadline: number): Promise<BundleAnswer> {
  const first = await ask(transport, request, undefined, deadline);
  const isStale = saysStale(first.headers);
  if (first.status === 304) return { kind: "same", revision: revisionOf(first.headers), isStale };
  const prompts: MirroredPrompt[] = [];
  let page = readPage(first);
  const { revision } = page;
  for (;;) {
    prompts.push(...page.prompts);
    const total = Math.max(page.total, prompts.length);
    if (total > request.limit) return { kind: "too-large", total };
    if (page.cursor === undefined) break;
    page = readPage(await ask(transport, request, page.cursor, deadline));
    if (page.revision !== revision) throw new ApiError("The bundle's pages are of two revisions", { status: 409 });
  }
  return { kind: "bundle", revision, etag: first.headers.get("etag") ?? undefined, prompts, isStale };
}

function ask(
  transport: Transport,
  { selection, etag, minRevision, signal }: BundleRequest,
  cursor: string | undefined,
  deadline: number,
): Promise<ApiAnswer> {
  const headers: Record<string, string> = {};
  if (cursor === undefined && etag !== undefined) headers["If-None-Match"] = etag;
  if (minRevision !== undefined) headers["X-XR2-Min-Revision"] = String(minRevision);
  return transport.send({
    method: "GET",
    path: "/bundle",
    query: { ...queryOf(selection), limit: String(PAGE), cursor },
    headers,
    what: `Cannot get the prompts of "${selection.label}"`,
    slug: "",
    timeoutMs: Math.max(1, deadline - performance.now()),
    retries: 0,
    signal,
  });
}

/** A prompt that cannot be read is left out, and asked for by itself when somebody wants it. */
function readPage(answer: ApiAnswer): Page {
  const { data, meta } = answer.body as { data: Record<string, unknown>; meta?: Record<string, unknown> };
  const { revision, prompts } = data;
  if (typeof revision !== "number" || !Number.isSafeInteger(revision) || !Array.isArray(prompts)) {
    throw new ServerError("The answer is no bundle of prompts", { code: "UNEXPECTED_ANSWER", status: answer.status });
  }
  const cursor = meta?.["next_cursor"];
  const total = meta?.["total"];
  return {
    revision,
    prompts: prompts.filter(isPrompt),
    cursor: typeof cursor === "string" && cursor !== "" ? cursor : undefined,
    total: typeof total === "number" ? total : 0,
  };
}

/** Whether the error says that this server has no such route. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof ApiError && error.status !== undefined && UNSUPPORTED.has(error.status);
}
