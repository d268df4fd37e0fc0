import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '~/api/keys';
import type { BulkAction, BulkOutcome, ListedPrompt } from '~/api/types';
import { removeManyFromLists } from '~/features/prompts/list-cache';
import { notifyDone, notifyError, notifyUndo } from '~/ui/notify';
import { inverseOf } from './inverse';
import { sendBulk } from './send';
import { doneWords, stateAfter } from './words';

/** Actions after which a prompt stands in another list than before. */
const leaving = new Set<BulkAction['action']>(['archive', 'unarchive', 'delete', 'restore', 'purge']);

/** Makes everything current that many changed prompts may show in. */
export function refreshPrompts(queryClient: QueryClient): Promise<unknown> {
  return Promise.all(
    [keys.promptLists, keys.folders, ['prompt']].map((queryKey) => queryClient.invalidateQueries({ queryKey })),
  );
}

/** How an action went that not all prompts could follow. */
export interface Report {
  action: BulkAction;
  what: string;
  prompts: ListedPrompt[];
  outcome: BulkOutcome;
}

/**
 * What can be done to many prompts at once: at once on the screen, with an undo after, and with a report of
 * each one where some were refused.
 */
export function useBulk() {
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [report, setReport] = useState<Report | null>(null);

  /** `folder` is the name of the folder that the action is about. Gives the ids of those that were refused. */
  async function run(action: BulkAction, prompts: ListedPrompt[], folder?: string): Promise<string[]> {
    const what = stateAfter(action, folder);
    const putBack = leaving.has(action.action) ? removeManyFromLists(queryClient, prompts.map(({ id }) => id)) : () => {};
    setBusy(true);
    let outcome: BulkOutcome;
    try {
      outcome = await sendBulk(action, prompts);
    } catch (error) {
      putBack();
      notifyError(error);
      return prompts.map(({ id }) => id);
    } finally {
      setBusy(false);
    }
    await refreshPrompts(queryClient);
    tell(action, prompts, outcome, what);
    if (outcome.failed > 0) setReport({ action, what, prompts, outcome });
    return outcome.results.filter((item) => item.status === 'failed').map((item) => item.prompt);
  }

  function tell(action: BulkAction, prompts: ListedPrompt[], outcome: BulkOutcome, what: string) {
    const changed = new Set(outcome.results.filter((item) => item.status === 'done').map((item) => item.prompt));
    const done = prompts.filter(({ id }) => changed.has(id));
    if (done.length === 0) {
      if (outcome.failed === 0) notifyDone(`Nothing to do: ${doneWords(prompts.length, prompts[0]?.title, what)}`);
      return;
    }
    const message = doneWords(done.length, done[0]?.title, what);
    const copies = outcome.results.flatMap(({ copy }) => copy ?? []);
    const steps: { action: BulkAction; prompts: { id: string }[] }[] | null =
      copies.length > 0 ? [{ action: { action: 'delete', force: true }, prompts: copies }] : inverseOf(action, done);
    if (steps === null) return notifyDone(message);
    notifyUndo({
      message,
      undo: async () => {
        let refused = 0;
        for (const step of steps) refused += (await sendBulk(step.action, step.prompts)).failed;
        await refreshPrompts(queryClient);
        if (refused > 0) throw new Error(`${refused} prompts could not be put back.`);
      },
    });
  }

  return { run, busy, report, closeReport: () => setReport(null) };
}

export type Bulk = ReturnType<typeof useBulk>;
