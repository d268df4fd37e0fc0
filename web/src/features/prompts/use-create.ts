import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { ApiError, api } from '~/api/client';
import { keys } from '~/api/keys';
import type { PromptType, SavedPrompt } from '~/api/types';
import { notifyDone, notifyError } from '~/ui/notify';
import { forgetBegun, keepBegun, readBegun } from './begun';
import { bodyOf, emptyFields, type Fields, hasWork, localErrors, switchType } from './new-prompt';
import { useSlug } from './use-slug';

type Errors = Record<string, string>;

/** The state of the page where a prompt is written for the first time. */
export function useCreate(form: RefObject<HTMLFormElement | null>) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { folder } = useSearch({ from: '/app/prompts/new' });
  const [begun] = useState(readBegun);
  const [fields, setFields] = useState<Fields>(begun ?? emptyFields);
  const [restored, setRestored] = useState(begun !== null);
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState<'save' | 'publish' | null>(null);
  const saved = useRef(false);
  const slug = useSlug(fields.title);
  const unsaved = hasWork(fields);

  // A crash or a closed tab loses nothing: the page finds it again.
  useEffect(() => {
    if (saved.current) return;
    const timer = window.setTimeout(() => {
      if (saved.current) return;
      if (unsaved) keepBegun(fields);
      else forgetBegun();
    }, 300);
    return () => window.clearTimeout(timer);
  }, [fields, unsaved]);
  // Leaving the page in any other way lets go of it.
  useEffect(() => forgetBegun, []);

  function set(change: Partial<Fields>) {
    setFields((before) => ({ ...before, ...change }));
    for (const name of Object.keys(change)) clearError(name);
  }

  function clearError(name: string) {
    setErrors((before) => (name in before ? Object.fromEntries(Object.entries(before).filter(([key]) => key !== name)) : before));
  }

  function focusFirst(wrong: Errors) {
    const order = ['title', 'slug', 'content', 'messages', 'description', 'category'];
    const first = order.find((name) => name in wrong);
    form.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
  }

  async function save(publish: boolean) {
    if (busy) return;
    const wrong = localErrors(fields, slug.slug, slug.problem);
    setErrors(wrong);
    setProblem(null);
    if (Object.keys(wrong).length > 0) return focusFirst(wrong);

    setBusy(publish ? 'publish' : 'save');
    try {
      const made = await api.post<SavedPrompt>('/prompts', {
        ...bodyOf(fields, slug.slug, publish),
        ...(folder && { folder_ids: [folder] }),
      });
      saved.current = true;
      forgetBegun();
      void queryClient.invalidateQueries({ queryKey: keys.promptLists });
      await navigate({ to: '/prompts/$slug', params: { slug: made.slug } });
      tellOutcome(made, publish);
    } catch (error) {
      const fieldErrors = errorsOf(error);
      // The form must take the keyboard again before one of its fields can have it.
      flushSync(() => {
        setBusy(null);
        setErrors(fieldErrors);
      });
      if (Object.keys(fieldErrors).length > 0) focusFirst(fieldErrors);
      else setProblem(error);
    }
  }

  return {
    fields,
    errors,
    problem,
    busy,
    slug,
    restored,
    set,
    clearError,
    save,
    setType: (type: PromptType) => setFields((before) => switchType(before, type)),
    isUnsaved: () => unsaved && !saved.current,
    keepRestored: () => setRestored(false),
    /** Somebody chose to leave without saving. */
    letGo: () => {
      saved.current = true;
      forgetBegun();
    },
    startAfresh: () => {
      forgetBegun();
      setRestored(false);
      setFields(emptyFields);
    },
  };
}

function errorsOf(error: unknown): Errors {
  if (!(error instanceof ApiError)) return {};
  if (error.code === 'TEMPLATE_ERROR') {
    const { line, column } = error.details as { line?: number; column?: number };
    const place = line ? ` (line ${line}, column ${column})` : '';
    return { content: `${error.message}${place}`, messages: `${error.message}${place}` };
  }
  if (error.status === 409) return { slug: error.message };
  return error.fieldErrors();
}

function tellOutcome(made: SavedPrompt, wanted: boolean) {
  if (made.publish_blocked && wanted) {
    notifyError(
      new ApiError(403, made.publish_blocked.code, made.publish_blocked.message),
      'It is kept, but not live',
    );
  } else {
    notifyDone(made.published ? 'It is live: clients get it from now on.' : 'It is kept. Publish it when clients should get it.');
  }
}
