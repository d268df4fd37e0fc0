import { Button } from '@mantine/core';
import { IconBookmarkPlus } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { isFiltered, type ListSearch, sameSearch } from '~/features/prompts/filters';
import { useViews } from './queries';
import { fromViewQuery } from './query';

const ViewDialog = lazy(() => import('./ViewDialog'));

/** Offers to keep the filters as they are, unless a view says the same already. */
export function KeepView({ search }: { search: ListSearch }) {
  const views = useViews();
  const [open, setOpen] = useState(false);
  const isKept = views.some((view) => sameSearch(fromViewQuery(view.query), search));
  if (isKept || !isFiltered({ ...search, changed: undefined })) return null;
  return (
    <>
      <Button
        variant="subtle"
        color="gray"
        size="xs"
        style={{ height: '2.25rem', fontWeight: 500 }}
        leftSection={<IconBookmarkPlus size={14} aria-hidden />}
        onClick={() => setOpen(true)}
      >
        Keep as view
      </Button>
      <Suspense>{open && <ViewDialog search={search} onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}
