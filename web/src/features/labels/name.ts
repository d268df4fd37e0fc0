export const longestLabel = 50;

/** What is wrong with a label's name, as far as can be told without the server. */
export function labelNameProblem(name: string, taken: string[]): string | null {
  if (name === '') return 'Name it, such as “staging”.';
  if (name.length > longestLabel) return `At most ${longestLabel} characters.`;
  if (!/^[a-z0-9][a-z0-9_.-]*$/.test(name)) {
    return 'Small letters a–z, digits, hyphens, underscores and dots; a letter or digit first.';
  }
  if (/^\d+$/.test(name)) return 'A number alone would be taken for a version. Add a letter.';
  if (name === 'latest') return '“latest” always means the newest version, so it cannot be a label of its own.';
  if (taken.includes(name)) return `There is a label “${name}” already.`;
  return null;
}
