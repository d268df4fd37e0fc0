import { api, ApiError, path } from '~/api/client';
import type { Draft, PromptBody } from '~/api/types';
import { explain } from '~/ui';
import type { DraftAnswer, DraftStamp } from './model/session';

/** Saves a draft and sorts the answers into what the session can do about them. */
export async function saveDraft(slug: string, body: PromptBody, stamp: DraftStamp): Promise<DraftAnswer> {
  try {
    const draft = await api.put<Draft>(path`/prompts/${slug}/draft`, {
      ...body,
      ...(stamp.revision !== null && { revision: stamp.revision }),
      ...(stamp.base !== null && { base_version: stamp.base }),
    });
    return { ok: true, draft };
  } catch (error) {
    return sort(error, stamp);
  }
}

function sort(error: unknown, stamp: DraftStamp): DraftAnswer {
  if (!(error instanceof ApiError)) return { ok: false, message: explain(error).text, retry: false };
  if (error.status === 409) {
    const current = error.details.current as Draft | undefined;
    if (current) return { ok: false, conflict: current };
    if (stamp.revision !== null) return { ok: false, gone: true };
  }
  // With a revision, "not found" speaks of the draft; the second try tells whether it was the prompt.
  if (error.status === 404 && stamp.revision !== null) return { ok: false, gone: true };
  const retry = error.offline || error.status >= 500 || error.status === 429;
  return { ok: false, message: firstReason(error), retry };
}

function firstReason(error: ApiError): string {
  return Object.values(error.fieldErrors())[0] ?? explain(error).title;
}
