import { useMemo } from 'react';
import { bodyOfVersion, fromEdit, sameBody } from './model/body';
import { useBody, usePrompt } from './PromptContext';

/** How the working copy stands to what is live and to the newest version. */
export function useChanges() {
  const { details } = usePrompt();
  const edit = useBody();
  const { live_version: live, version: newest } = details;
  return useMemo(() => {
    const body = fromEdit(edit);
    const differsFromLive = live === null || !sameBody(body, bodyOfVersion(live));
    const differsFromNewest = newest === null || !sameBody(body, bodyOfVersion(newest));
    const empty = body.type === 'chat' ? (body.messages?.length ?? 0) === 0 : (body.content ?? '').trim() === '';
    return { differsFromLive, differsFromNewest, toPublish: differsFromLive && !empty };
  }, [edit, live, newest]);
}
