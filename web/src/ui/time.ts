const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['week', 7 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "3 days ago", "in 2 hours", "just now". */
export function relativeTime(time: string | Date, now: number = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  if (Number.isNaN(seconds)) return '';
  const distance = Math.abs(seconds);
  if (distance < 45) return 'just now';
  for (const [unit, length] of steps) {
    // Rounding up to a whole unit reads better than "60 minutes ago".
    const amount = Math.round(distance / length);
    if (distance >= length * 0.96 && amount >= 1) return relative.format(Math.sign(seconds) * amount, unit);
  }
  return relative.format(Math.sign(seconds), 'minute');
}

/** Milliseconds until the words of `relativeTime` may change. */
export function nextChange(time: string | Date, now: number = Date.now()): number {
  const distance = Math.abs(new Date(time).getTime() - now) / 1000;
  if (distance < 3_600) return 30_000;
  if (distance < 86_400) return 10 * 60_000;
  return 60 * 60_000;
}

/** The exact time in the reader's own locale and zone. */
export function exactTime(time: string | Date): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '';
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' }).format(date);
}

/** "21 Nov 2026", for dates that are far away and need no hour. */
export function shortDate(time: string | Date): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' }).format(new Date(time));
}
