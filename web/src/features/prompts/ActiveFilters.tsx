import { Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useFolders } from '~/features/folders/queries';
import { pathWords } from '~/features/folders/tree';
import { chipsOf } from './chips';
import classes from './FilterBar.module.css';
import type { ListSearch } from './filters';

/** The filters that are on: each a chip that takes itself off. */
export function ActiveFilters({ search, onChange }: { search: ListSearch; onChange: (change: Partial<ListSearch>) => void }) {
  const folder = useFolders().find(({ id }) => id === search.folder);
  return chipsOf(search, folder && pathWords(folder)).map(({ key, words, off }) => (
    <Button
      key={key}
      variant="light"
      size="xs"
      className={classes.chip}
      rightSection={<IconX size={12} aria-hidden />}
      aria-label={`${words}. Remove this filter`}
      onClick={() => onChange(off)}
    >
      {words}
    </Button>
  ));
}
