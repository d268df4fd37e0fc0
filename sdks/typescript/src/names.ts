/** A name longer than this is not compared with anything. */
const MAX_NAME_BYTES = 400;

/**
 * The known name that was probably meant: fewest single-character edits, the earlier one on a
 * tie; none when that is more than a third of the longer name (two edits are always allowed)
 * or nothing is left in common.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) return undefined;
  const wanted = [...name];
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const letters = [...candidate];
    const longer = Math.max(wanted.length, letters.length);
    const distance = editDistance(wanted, letters);
    const near = distance <= Math.max(Math.floor(longer / 3), 2) && distance < longer;
    if (near && distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

function editDistance(left: readonly string[], right: readonly string[]): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  left.forEach((letter, i) => {
    const current = [i + 1];
    right.forEach((other, j) => {
      const substituted = previous[j]! + (letter === other ? 0 : 1);
      current.push(Math.min(substituted, previous[j + 1]! + 1, current[j]! + 1));
    });
    previous = current;
  });
  return previous[right.length]!;
}
