/** Reads the one-time token out of an address's fragment. */
export function setupToken(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') || null;
}
