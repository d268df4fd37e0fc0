import type { ClientInstance } from '~/api/types';
import { sdkWords } from './reach';

export type Which = 'all' | 'behind';

/** What the address of the page says. */
export interface ClientsSearch {
  q?: string;
  which?: 'behind';
}

/** Every name is in the answer, because the router passes on as it is what an answer does not name. */
export function parseClientsSearch(search: Record<string, unknown>): ClientsSearch {
  const q = typeof search.q === 'number' ? String(search.q) : search.q;
  return {
    q: typeof q === 'string' && q.trim() !== '' ? q : undefined,
    which: search.which === 'behind' ? 'behind' : undefined,
  };
}

/** The clients in which every word is found: in a name, a key, a prompt or a label. */
export function filterClients(instances: ClientInstance[], { q = '', which }: ClientsSearch): ClientInstance[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return instances.filter((one) => {
    if (which === 'behind' && one.current && !one.silent) return false;
    if (words.length === 0) return true;
    const facts = [one.instance, sdkWords(one.sdk), one.key?.name, ...one.serving.flatMap((s) => [s.slug, s.label])];
    const text = facts.join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
