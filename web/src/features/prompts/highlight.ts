import type { Segment } from '~/api/types';

/** As much of the text before the first match is shown where there is little room. */
const before = 18;

/** The text from shortly before the first match on, so that a narrow column shows the match. */
export function fromFirstMatch(segments: Segment[]): Segment[] {
  const first = segments.findIndex((segment) => segment.match);
  if (first <= 0) return segments;
  const lead = segments.slice(0, first).map((segment) => segment.text).join('');
  if (lead.length <= before) return segments;
  return [{ text: `…${lead.slice(-before).replace(/^\S*\s+/, '')}`, match: false }, ...segments.slice(first)];
}
