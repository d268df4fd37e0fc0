export const longestSlug = 100;

const reserved = new Set([
  'all', 'batch', 'bin', 'bulk', 'bundle', 'categories', 'drafts', 'edit', 'export', 'folders', 'import', 'labels',
  'me', 'new', 'render', 'search', 'settings', 'stats', 'stream', 'tags', 'versions', 'views',
]);
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Letters that lose more than an accent when they are written in ASCII. */
const spelled: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ł: 'l', þ: 'th', ı: 'i' };

/** A slug suggested by a title: "Welcome, Anaïs!" → "welcome-anais". */
export function slugify(title: string): string {
  const slug = title
    .toLowerCase()
    .replace(/[ßæœøđłþı]/g, (letter) => spelled[letter]!)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/['’]/g, '')
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, longestSlug)
    .replace(/-+$/, '');
  return reserved.has(slug) ? `${slug}-prompt` : slug;
}

/** What is wrong with a slug, as far as can be told without the server. */
export function slugProblem(slug: string): string | null {
  if (slug === '') return 'A slug is needed: your programs ask for the prompt by it.';
  if (slug.length > longestSlug) return `At most ${longestSlug} characters.`;
  if (/[A-Z]/.test(slug)) return 'Small letters only.';
  if (/\s/.test(slug)) return 'No spaces; use hyphens between words.';
  if (!/^[a-z0-9_-]+$/.test(slug)) return 'Only small letters a–z, digits, hyphens and underscores.';
  if (!/^[a-z0-9]/.test(slug)) return 'It must begin with a letter or a digit.';
  if (uuid.test(slug)) return 'A slug must not look like an id.';
  if (reserved.has(slug)) return `“${slug}” is kept for addresses of the API. Add a word.`;
  return null;
}
