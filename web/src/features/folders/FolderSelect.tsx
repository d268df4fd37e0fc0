import { Select } from '@mantine/core';
import type { Folder } from '~/api/types';
import { pathWords } from './tree';

interface Props {
  label: string;
  description?: string;
  placeholder?: string;
  folders: Folder[];
  value: string | null;
  onChange: (id: string | null) => void;
  error?: string;
  autoFocus?: boolean;
  required?: boolean;
}

/** Chooses one folder by typing a part of its path. */
export function FolderSelect({ folders, value, onChange, autoFocus, required, ...rest }: Props) {
  return (
    <Select
      {...rest}
      data={folders.map((folder) => ({ value: folder.id, label: pathWords(folder) }))}
      value={value}
      onChange={onChange}
      searchable
      clearable={!required}
      clearButtonProps={{ 'aria-label': 'Choose none' }}
      limit={100}
      nothingFoundMessage="No folder has this name"
      data-autofocus={autoFocus || undefined}
    />
  );
}
