/** The workspace revision an answer is of. */
export function revisionOf(headers: Headers): number | undefined {
  const text = headers.get("x-xr2-revision");
  const revision = text === null || text === "" ? NaN : Number(text);
  return Number.isInteger(revision) ? revision : undefined;
}

/** Whether the node that answers says that it is cut off from its database: there may be later revisions. */
export function saysStale(headers: Headers): boolean {
  return headers.has("x-xr2-stale");
}

/** Retry-After in seconds; it may be a number or a date. */
export function parseRetryAfter(text: string | null | undefined): number | undefined {
  if (!text) return undefined;
  if (/^\s*\d+\s*$/.test(text)) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1_000);
}
