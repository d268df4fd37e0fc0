import type { KeyKind, NewApiKey, Scope } from '~/api/types';
import type { Level } from './words';

export const expiries = [
  { value: 'never', label: 'Never' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
  { value: 'date', label: 'On a date…' },
];

/** What is filled in to make a key. */
export interface KeyFields {
  name: string;
  kind: KeyKind;
  level: Level;
  extras: Scope[];
  labels: string[];
  addresses: string[];
  origins: string[];
  expiry: string;
  date: string;
  rate: string;
}

export const emptyKey: KeyFields = {
  name: '',
  kind: 'secret',
  level: 'deliver',
  extras: [],
  labels: [],
  addresses: [],
  origins: [],
  expiry: 'never',
  date: '',
  rate: '',
};

export function expiresAt(fields: Pick<KeyFields, 'expiry' | 'date'>, now: Date): string | undefined {
  if (fields.expiry === 'never') return undefined;
  if (fields.expiry === 'date') {
    // The chosen day is the last one on which the key works, in the reader's own time zone.
    return fields.date ? new Date(`${fields.date}T23:59:59`).toISOString() : undefined;
  }
  return new Date(now.getTime() + Number(fields.expiry) * 86_400_000).toISOString();
}

/** What is wrong before the server needs to be asked, by the field's API name. */
export function keyErrors(fields: KeyFields, now: Date): Record<string, string> {
  const errors: Record<string, string> = {};
  if (fields.name.trim() === '') errors.name = 'Name it after what will use it, such as “Website” or “n8n”.';
  if (fields.kind === 'publishable' && fields.origins.length === 0) {
    errors.allowed_origins = 'Name at least one address that may use it, such as https://example.com.';
  }
  const badOrigin = fields.origins.find((origin) => !/^https?:\/\/[^/\s]+$/.test(origin));
  if (fields.kind === 'publishable' && badOrigin) {
    errors.allowed_origins = `“${badOrigin}” is no origin: write https://example.com, without a path.`;
  }
  if (fields.expiry === 'date') {
    const end = expiresAt(fields, now);
    if (!end) errors.expires_at = 'Choose a date.';
    else if (new Date(end) <= now) errors.expires_at = 'That day is over already.';
  }
  if (fields.rate !== '' && !/^[1-9]\d*$/.test(fields.rate)) errors.rate_limit_per_minute = 'A whole number, 1 or more.';
  return errors;
}

/** The request that makes the key; what is not limited is left out. */
export function keyRequest(fields: KeyFields, now: Date): NewApiKey {
  const publishable = fields.kind === 'publishable';
  const expires_at = expiresAt(fields, now);
  return {
    name: fields.name.trim(),
    kind: fields.kind,
    scopes: publishable ? ['deliver'] : [fields.level, ...fields.extras],
    ...(fields.labels.length > 0 && { labels: fields.labels }),
    ...(publishable && { allowed_origins: fields.origins }),
    ...(fields.addresses.length > 0 && { allowed_ips: fields.addresses }),
    ...(expires_at && { expires_at }),
    ...(fields.rate !== '' && { rate_limit_per_minute: Number(fields.rate) }),
  };
}
