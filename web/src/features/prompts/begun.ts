import { emptyFields, type Fields } from './new-prompt';

const key = 'xr2-new-prompt';

/** What was begun in this tab before a reload or a crash. */
export function readBegun(): Fields | null {
  try {
    const text = sessionStorage.getItem(key);
    return text ? { ...emptyFields, ...(JSON.parse(text) as Partial<Fields>) } : null;
  } catch {
    return null;
  }
}

export function keepBegun(fields: Fields): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(fields));
  } catch {
    // Full or blocked storage: the warning before leaving still protects the work.
  }
}

export function forgetBegun(): void {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept then.
  }
}
