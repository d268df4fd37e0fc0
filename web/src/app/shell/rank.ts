interface Named {
  title: string;
  slug: string;
}

/** How well a prompt's name fits: 0 begins with the words, 1 has words that begin so, 2 contains them, 3 does not. */
function distance({ title, slug }: Named, words: string[]): number {
  const names = [title.toLowerCase(), slug];
  const one = (word: string) => {
    if (names.some((name) => name.startsWith(word))) return 0;
    if (names.some((name) => name.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(word)))) return 1;
    return names.some((name) => name.includes(word)) ? 2 : 3;
  };
  return Math.max(0, ...words.map(one));
}

/**
 * The best first: who types a few letters means a name far more often than a text with these letters in it. What
 * fits equally well stays in the order in which it came. `namesOnly` leaves out what only the server can have found.
 */
export function rank<T extends Named>(prompts: T[], query: string, namesOnly = false): T[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return prompts
    .map((prompt) => ({ prompt, distance: distance(prompt, words) }))
    .filter((found) => !namesOnly || found.distance < 3)
    .sort((a, b) => a.distance - b.distance)
    .map((found) => found.prompt);
}
