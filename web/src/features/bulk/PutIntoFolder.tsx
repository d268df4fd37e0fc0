import { lazy, Suspense } from 'react';
import type { Folder, ListedPrompt } from '~/api/types';
import { useBulk } from './use-bulk';

const BulkDialog = lazy(() => import('./BulkDialog'));

interface Props {
  prompt: ListedPrompt;
  /** The folder it is listed from. */
  from: Folder | undefined;
  onClose: () => void;
}

/** Asks for the folder of one prompt. */
export function PutIntoFolder({ prompt, from, onClose }: Props) {
  const bulk = useBulk();
  return (
    <Suspense>
      <BulkDialog
        ask="folder"
        prompts={[prompt]}
        from={from}
        onClose={onClose}
        onRun={(action, folder) => {
          onClose();
          void bulk.run(action, [prompt], folder);
        }}
      />
    </Suspense>
  );
}
