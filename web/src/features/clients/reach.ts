import type { ClientCounts } from '~/api/types';

/** How far a version has come: `none` reports, it is on its `way`, somebody is left `behind`, or all have it. */
export type ReachState = 'none' | 'way' | 'behind' | 'done';

export function reachState({ total, current }: ClientCounts, arriving: boolean): ReachState {
  if (total === 0) return 'none';
  if (current === total) return 'done';
  return arriving ? 'way' : 'behind';
}

const number = (value: number) => value.toLocaleString();

/** "41 of 41 clients have it", "39 of 41 clients have it, 2 not heard from". */
export function reachWords(counts: ClientCounts): string {
  const { total, current, silent } = counts;
  if (total === 0) return 'No clients connected';
  const has = total === 1 ? 'client has it' : 'clients have it';
  const words = `${number(current)} of ${number(total)} ${has}`;
  return silent > 0 ? `${words}, ${number(silent)} not heard from` : words;
}

/** "all up to date", or "3 behind, 2 not heard from". */
export function behindWords({ total, current, silent }: ClientCounts): string {
  const behind = total - current - silent;
  const words = [behind > 0 && `${number(behind)} behind`, silent > 0 && `${number(silent)} not heard from`];
  return words.filter(Boolean).join(', ') || 'all up to date';
}

/** "python/0.1.0" as people write it. */
export function sdkWords(sdk: string): string {
  const names: Record<string, string> = { python: 'Python', typescript: 'TypeScript', rust: 'Rust' };
  const [name = '', version] = sdk.split('/');
  if (name === '') return 'Unknown SDK';
  return [names[name] ?? name, version].filter(Boolean).join(' ');
}

/** Names that programs make up are long; their beginning tells them apart. */
export function shortInstance(instance: string): string {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(instance) ? instance.slice(0, 8) : instance;
}
