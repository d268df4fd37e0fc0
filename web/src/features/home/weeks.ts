import type { UsagePoint } from '~/api/types';

/** A week beside the one before it. */
export interface Weeks {
  days: UsagePoint[];
  requests: number;
  errors: number;
  before: { requests: number; errors: number };
}

const WEEK = 7;

/** The last seven days of a daily series, today included, against the seven before. */
export function compareWeeks(series: UsagePoint[]): Weeks {
  const days = series.slice(-WEEK);
  const before = series.slice(-2 * WEEK, -WEEK);
  const sum = (points: UsagePoint[], field: 'requests' | 'errors') =>
    points.reduce((total, point) => total + point[field], 0);
  return {
    days,
    requests: sum(days, 'requests'),
    errors: sum(days, 'errors'),
    before: { requests: sum(before, 'requests'), errors: sum(before, 'errors') },
  };
}

/** How a number has changed: "12 % more than the week before". Null where that says nothing. */
export function changeWords(now: number, before: number): string | null {
  if (before === 0) return now === 0 ? null : 'none in the week before';
  const percent = Math.round((Math.abs(now - before) / before) * 100);
  if (percent === 0) return 'as many as in the week before';
  return `${percent.toLocaleString()} % ${now > before ? 'more' : 'fewer'} than in the week before`;
}

/** A share for people: "0.4 %". */
export function share(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  const percent = (part / whole) * 100;
  return percent < 0.1 ? 'under 0.1 %' : `${percent.toLocaleString(undefined, { maximumFractionDigits: 1 })} %`;
}
