import type { ApiKey, Scope } from '~/api/types';

/** How far a key reaches: each level includes the one before. */
export const levels = [
  { value: 'deliver', label: 'Fetch prompts', text: 'Gets what is live, filled in. All that a program needs.' },
  { value: 'read', label: 'Read everything', text: 'Also drafts, older versions and history.' },
  { value: 'write', label: 'Edit', text: 'Also makes and changes prompts and drafts.' },
] as const;

export type Level = (typeof levels)[number]['value'];

export const extras = [
  { value: 'publish', label: 'Publish', text: 'Makes versions live, and rolls back.' },
  { value: 'admin', label: 'Administer', text: 'Deletes prompts, and manages labels and API keys.' },
] as const;

const words: Record<Scope, string> = {
  deliver: 'Fetches prompts',
  read: 'Reads everything',
  write: 'Edits',
  publish: 'publishes',
  admin: 'administers',
};

/** What a key may do, as a phrase: "Edits, publishes". */
export function scopeWords(scopes: Scope[]): string {
  const level = (['write', 'read', 'deliver'] as const).find((scope) => scopes.includes(scope));
  const parts = [level, ...(['publish', 'admin'] as const).filter((scope) => scopes.includes(scope))]
    .filter((scope): scope is Scope => scope !== undefined)
    .map((scope) => words[scope]);
  const phrase = parts.join(', ');
  return phrase.charAt(0).toUpperCase() + phrase.slice(1);
}

/** How a key is recognised without being shown: "xr2_Ab12…9f3c". */
export function maskedKey(key: Pick<ApiKey, 'prefix' | 'last4'>): string {
  return `${key.prefix}…${key.last4}`;
}

/** The line that shows a key at work, ready to paste. */
export function curlLine(origin: string, key: string, slug: string): string {
  return `curl -H "Authorization: Bearer ${key}" "${origin}/api/v1/prompts/${slug}"`;
}
