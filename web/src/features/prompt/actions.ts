import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { LabelMoved, Prompt, PromptDetails, PromptInput, Published, PublishInput, SavedPrompt } from '~/api/types';
import { notifyDone, notifyUndo } from '~/ui';
import { usePrompt } from './PromptContext';

/** Everything one can do to the prompt whose page this is. Failures are thrown to the caller. */
export function usePromptActions() {
  const { slug, details, session, own } = usePrompt();
  const queryClient = useQueryClient();
  const navigate = useNavigate();

  return useMemo(() => {
    const refresh = () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: keys.prompt(slug) }),
        queryClient.invalidateQueries({ queryKey: keys.promptLists }),
      ]);

    const patch = (change: Partial<PromptDetails>) =>
      queryClient.setQueryData<PromptDetails>(keys.promptDetails(slug), (old) => old && { ...old, ...change });

    /** Changes title, description and the like; a change of slug moves the page to its new address. */
    async function saveFields(input: PromptInput): Promise<SavedPrompt> {
      const saved = await api.put<SavedPrompt>(path`/prompts/${slug}`, input);
      if (saved.slug !== slug) {
        // The page goes on under its new address without loading anew.
        queryClient.setQueryData<PromptDetails>(keys.promptDetails(saved.slug), { ...details, slug: saved.slug });
        await navigate({ to: '.', params: { slug: saved.slug }, replace: true });
      }
      await refresh();
      return saved;
    }

    async function moveLabel(label: string, version: number, comment?: string): Promise<LabelMoved> {
      const change = api.put<LabelMoved>(path`/prompts/${slug}/labels/${label}`, {
        version,
        ...(comment && { comment }),
      });
      const moved = await own(change, (answer) => (label === 'production' ? answer.version : undefined));
      await refresh();
      return moved;
    }

    async function removeLabel(label: string): Promise<void> {
      await own(api.del(path`/prompts/${slug}/labels/${label}`), () => (label === 'production' ? null : undefined));
      await refresh();
    }

    /** Makes an earlier version live again; one click takes it back. */
    async function rollBack(version: number): Promise<void> {
      const before = details.live?.version ?? null;
      await moveLabel('production', version);
      notifyUndo({
        message: `v${version} is live${before === null ? '' : ` again instead of v${before}`}`,
        undo: () => (before === null ? removeLabel('production') : moveLabel('production', before)),
      });
    }

    async function moveLabelWithUndo(label: string, version: number): Promise<void> {
      const before = details.labels[label] ?? null;
      await moveLabel(label, version);
      notifyUndo({
        message: `${label} now points at v${version}`,
        undo: () => (before === null ? removeLabel(label) : moveLabel(label, before)),
      });
    }

    async function removeLabelWithUndo(label: string): Promise<void> {
      const before = details.labels[label];
      await removeLabel(label);
      notifyUndo({
        message: `${label} was removed`,
        undo: async () => void (before && (await moveLabel(label, before))),
      });
    }

    async function publish(input: PublishInput): Promise<Published> {
      const change = api.post<Published>(path`/prompts/${slug}/publish`, input);
      const published = await own(change, ownVersion);
      session.published(published.version);
      patch({ ...published.prompt, draft: null, version: published.version });
      await refresh();
      return published;
    }

    async function restore(version: number): Promise<void> {
      const change = api.post<Published>(
        path`/prompts/${slug}/versions/${version}/restore`,
        {},
      );
      const restored = await own(change, ownVersion);
      await refresh();
      const before = restored.previous_version;
      notifyUndo({
        message: `v${version} was restored as v${restored.version.number} and is live`,
        undo: async () => void (before !== null && (await moveLabel('production', before))),
      });
    }

    async function discardDraftQuietly(): Promise<void> {
      const { version } = details;
      if (!version) return;
      await session.autosave.flush();
      if (session.revision !== null) {
        await api.del(path`/prompts/${slug}/draft`, { query: { revision: session.revision } });
      }
      session.discarded(version);
      patch({ draft: null, has_draft: false });
      await refresh();
    }

    async function discardDraft(): Promise<void> {
      const kept = session.current();
      await discardDraftQuietly();
      notifyUndo({ message: 'The draft was thrown away', undo: () => session.replace(kept) });
    }

    async function duplicate(): Promise<void> {
      const copy = await api.post<Prompt>(path`/prompts/${slug}/duplicate`);
      await queryClient.invalidateQueries({ queryKey: keys.promptLists });
      await navigate({ to: '/prompts/$slug', params: { slug: copy.slug } });
      notifyDone('This is the copy. It is not live until you publish it.');
    }

    async function setArchived(archived: boolean): Promise<void> {
      await api.post(path`/prompts/${slug}/${archived ? 'archive' : 'unarchive'}`);
      await refresh();
    }

    async function archive(): Promise<void> {
      await setArchived(true);
      notifyUndo({ message: 'Archived: still delivered, hidden from the list', undo: () => setArchived(false) });
    }

    async function moveToBin(force: boolean): Promise<void> {
      await api.del(path`/prompts/${slug}`, { query: { force: force || undefined } });
      session.autosave.reset();
      await queryClient.invalidateQueries({ queryKey: keys.promptLists });
      await navigate({ to: '/prompts' });
      queryClient.removeQueries({ queryKey: keys.prompt(slug) });
      notifyUndo({
        message: `${slug} is in the bin`,
        undo: async () => {
          await api.post(path`/prompts/${slug}/undelete`);
          await queryClient.invalidateQueries({ queryKey: keys.promptLists });
        },
      });
    }

    return {
      saveFields,
      moveLabel,
      moveLabelWithUndo,
      removeLabelWithUndo,
      rollBack,
      publish,
      restore,
      discardDraft,
      discardDraftQuietly,
      duplicate,
      archive,
      setArchived,
      moveToBin,
      refresh,
    };
  }, [slug, details, session, own, queryClient, navigate]);
}

const ownVersion = ({ label, version }: Published) => (label === 'production' ? version.number : undefined);
