import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useMe } from '~/api/account';
import { keys } from '~/api/keys';
import type { PromptDetails } from '~/api/types';
import { saveDraft } from './draft-port';
import { type Backup, keepBackup, readBackup } from './model/backup';
import { sameBody } from './model/body';
import { currentBody, EditSession } from './model/session';

/** The working copy of the prompt, and a copy left on this device by an earlier visit. */
export function useEditSession(slug: string, details: PromptDetails) {
  const queryClient = useQueryClient();
  const { workspace } = useMe();
  const scope = workspace?.id ?? '';
  // The address may change while the page is open; the session lives on.
  const address = useRef(slug);
  useEffect(() => {
    address.current = slug;
  }, [slug]);

  const [opened] = useState(() => {
    const left = readBackup(scope, details.id);
    const session = new EditSession(details, {
      saveDraft: async (body, stamp) => {
        const answer = await saveDraft(details.id, body, stamp);
        if (answer.ok) {
          // An answer on its way from before this save would bring the old draft back.
          const key = keys.promptDetails(address.current);
          await queryClient.cancelQueries({ queryKey: key });
          queryClient.setQueryData<PromptDetails>(
            key,
            (old) => old && { ...old, draft: answer.draft, has_draft: true },
          );
        }
        return answer;
      },
      backup: (body, base) => keepBackup(scope, details.id, body && { body, base_version: base, at: Date.now() }),
    });
    const differs = left !== null && !sameBody(left.body, currentBody(details));
    if (left && !differs) keepBackup(scope, details.id, null);
    return { session, left: differs ? left : null };
  });
  const { session } = opened;
  const [left, setLeft] = useState<Backup | null>(opened.left);

  useEffect(() => {
    session.take(details);
  }, [session, details]);

  useEffect(() => {
    // Leaving a tab in the background may be the last one hears of it: save at once.
    const save = () => {
      if (document.visibilityState === 'hidden') void session.autosave.flush();
    };
    const online = () => void session.autosave.flush();
    document.addEventListener('visibilitychange', save);
    window.addEventListener('online', online);
    return () => {
      document.removeEventListener('visibilitychange', save);
      window.removeEventListener('online', online);
    };
  }, [session]);

  const dropBackup = () => {
    keepBackup(scope, details.id, null);
    setLeft(null);
  };
  return { session, left, dropBackup, hideBackup: () => setLeft(null) };
}
