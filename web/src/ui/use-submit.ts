import { type RefObject, useState } from 'react';
import { ApiError } from '~/api/client';

type Errors = Record<string, string>;

/** Sends a form: knows whether it is on its way, what is wrong by field, and what went wrong as a whole. */
export function useSubmit(form?: RefObject<HTMLElement | null>) {
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<unknown>(null);

  /** Shows what is wrong and puts the keyboard where it has to be mended. */
  function fail(wrong: Errors) {
    setErrors(wrong);
    const first = Object.keys(wrong)[0];
    // The fields are told first that they are wrong.
    if (first) window.setTimeout(() => form?.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus());
  }

  /** Runs the request; `fields` are those that are on the form, what is said of others is said of the whole. */
  async function run(request: () => Promise<unknown>, fields: readonly string[]): Promise<void> {
    setErrors({});
    setProblem(null);
    setBusy(true);
    try {
      await request();
    } catch (error) {
      const refused = error instanceof ApiError ? error.fieldErrors() : {};
      const known = Object.fromEntries(Object.entries(refused).filter(([field]) => fields.includes(field)));
      if (Object.keys(known).length > 0) fail(known);
      else setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  return { busy, errors, problem, run, fail, setProblem };
}
