import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { ApiError, api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { InUseReason, ListedPrompt, Prompt } from '~/api/types';
import { notifyDone, notifyError, notifyUndo } from '~/ui/notify';
import { changeInLists, removeFromLists } from './list-cache';

/** A prompt that something still uses, and what that is. */
export interface BinBlocked {
  prompt: Prompt;
  reasons: InUseReason[];
}

/**
 * What can be done to a prompt as a whole. Lists change at once and go back if the server refuses;
 * instead of a question before there is an undo after.
 */
export function usePromptActions() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [blocked, setBlocked] = useState<BinBlocked | null>(null);
  const [filing, setFiling] = useState<ListedPrompt | null>(null);

  const actions = useMemo(() => {
    async function refresh(slug: string) {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: keys.promptLists }),
        queryClient.invalidateQueries({ queryKey: keys.prompt(slug) }),
      ]);
    }

    async function restore(prompt: Prompt): Promise<Prompt> {
      const restored = await api.post<Prompt>(path`/prompts/${prompt.id}/undelete`);
      await refresh(prompt.slug);
      return restored;
    }

    async function moveToBin(prompt: Prompt, options: { force?: boolean } = {}): Promise<boolean> {
      const putBack = removeFromLists(queryClient, prompt.id);
      try {
        await api.del(path`/prompts/${prompt.slug}`, { query: { force: options.force || undefined } });
      } catch (error) {
        putBack();
        if (error instanceof ApiError && error.code === 'IN_USE') {
          setBlocked({ prompt, reasons: (error.details.reasons ?? []) as InUseReason[] });
        } else {
          notifyError(error, `“${prompt.title}” was not moved to the bin`);
        }
        return false;
      }
      notifyUndo({ message: `“${prompt.title}” is in the bin.`, undo: () => restore(prompt) });
      await refresh(prompt.slug);
      return true;
    }

    async function setArchived(prompt: Prompt, archived: boolean): Promise<void> {
      const putBack = changeInLists(queryClient, prompt.id, { archived });
      try {
        await api.post(archived ? path`/prompts/${prompt.slug}/archive` : path`/prompts/${prompt.slug}/unarchive`);
      } catch (error) {
        putBack();
        notifyError(error);
        return;
      }
      await refresh(prompt.slug);
      if (archived) {
        notifyUndo({
          message: `“${prompt.title}” is archived. Clients still get it.`,
          undo: () => setArchived(prompt, false),
        });
      } else {
        notifyDone(`“${prompt.title}” is back in the list.`);
      }
    }

    async function duplicate(prompt: Prompt): Promise<void> {
      try {
        const copy = await api.post<Prompt>(path`/prompts/${prompt.slug}/duplicate`);
        await queryClient.invalidateQueries({ queryKey: keys.promptLists });
        notifyDone(`Copied to “${copy.title}”.`);
        await navigate({ to: '/prompts/$slug', params: { slug: copy.slug } });
      } catch (error) {
        notifyError(error, `“${prompt.title}” was not duplicated`);
      }
    }

    async function setFavourite(prompt: ListedPrompt, favourite: boolean): Promise<void> {
      const putBack = changeInLists(queryClient, prompt.id, { favourite });
      try {
        if (favourite) await api.put(path`/prompts/${prompt.slug}/favourite`);
        else await api.del(path`/prompts/${prompt.slug}/favourite`);
      } catch (error) {
        putBack();
        notifyError(error);
        return;
      }
      await refresh(prompt.slug);
    }

    const dismissBlocked = () => setBlocked(null);
    return { moveToBin, restore, setArchived, duplicate, setFavourite, dismissBlocked, file: setFiling };
  }, [queryClient, navigate]);

  // `blocked` is set after a refusal because the prompt is in use: show `InUseDialog` then. `filing` is the prompt that is
  // to be put into a folder.
  return { actions, blocked, filing };
}

export type PromptActions = ReturnType<typeof usePromptActions>['actions'];
