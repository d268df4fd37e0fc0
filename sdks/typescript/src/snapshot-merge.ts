import type { FeedState } from "./feed.js";
import { keyOf } from "./slot.js";
import type { SnapshotContent, SnapshotEntry } from "./snapshot.js";

/** Names of everything in a snapshot. */
export function namesOf({ feeds, singles }: SnapshotContent): Set<string> {
  return new Set([...Object.keys(feeds).map(nameOfFeed), ...singles.map(nameOfSingle)]);
}

/**
 * What is to be kept when another process may have written the same snapshot: of every label
 * and prompt what is of the later revision. `known` is what this process has read or written
 * before: what of that it holds no longer is gone, all else it never knew is the other's.
 */
export function merge(ours: SnapshotContent, theirs: SnapshotContent, known: ReadonlySet<string>): SnapshotContent {
  const feeds: Record<string, FeedState> = { ...ours.feeds };
  for (const [key, other] of Object.entries(theirs.feeds)) {
    const own = feeds[key];
    if (own === undefined ? !known.has(nameOfFeed(key)) : isLater(other, own)) feeds[key] = other;
  }
  const singles = new Map(ours.singles.map((entry) => [nameOfSingle(entry), entry]));
  for (const other of theirs.singles) {
    const name = nameOfSingle(other);
    const own = singles.get(name);
    const isBetter = own === undefined ? !known.has(name) : (other.revision ?? -1) > (own.revision ?? -1);
    if (isBetter) singles.set(name, other);
  }
  return { feeds, singles: [...singles.values()] };
}

/** Whether the other process knows more. Of equals, what is written already stays. */
function isLater(other: FeedState, own: FeedState): boolean {
  if (other.revision === own.revision) return other.etag !== undefined || own.etag === undefined;
  // Revisions count anew after a server was set back to a backup.
  return other.revision > Math.max(own.revision, own.setBackFrom ?? -1);
}

function nameOfFeed(key: string): string {
  return `feed ${key}`;
}

function nameOfSingle({ query }: SnapshotEntry): string {
  return `single ${keyOf(query)}`;
}
