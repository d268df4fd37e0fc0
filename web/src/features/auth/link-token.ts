/** The one-time token of a link: behind the #, which browsers never send, or in the query. */
export function linkToken({ hash, search }: Pick<Location, 'hash' | 'search'>): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') || new URLSearchParams(search).get('token') || null;
}
