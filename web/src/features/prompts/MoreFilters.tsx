import { Button, Menu } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { labelsQuery } from '~/api/account';
import { choices } from './chips';
import classes from './FilterBar.module.css';
import type { ListSearch } from './filters';

interface Props {
  search: ListSearch;
  onChange: (change: Partial<ListSearch>) => void;
}

type Name = keyof typeof choices;
const groups: { label: string; names: Name[] }[] = [
  { label: 'State', names: ['state', 'draft', 'archived', 'unused'] },
  { label: 'Who and when', names: ['author', 'editor', 'changed'] },
  { label: 'Kind', names: ['kind'] },
];

const shownLabels = 8;

/** The filters that are wanted more rarely, in one menu; each is on or off. */
export function MoreFilters({ search, onChange }: Props) {
  const { data: labels = [] } = useQuery(labelsQuery);
  return (
    <Menu position="bottom-start" width={230}>
      <Menu.Target>
        <Button variant="default" size="xs" className={classes.chip} leftSection={<IconFilter size={14} aria-hidden />}>
          Filter
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.menu}>
        {groups.map(({ label, names }) => (
          <div key={label} role="group" aria-label={label}>
            <Menu.Label aria-hidden>{label}</Menu.Label>
            {names.flatMap((name) =>
              Object.entries(choices[name]).map(([value, words]) => (
                <Option
                  key={words}
                  words={words}
                  isOn={String(search[name]) === value}
                  onToggle={(on) => onChange({ [name]: on ? (value === 'true' ? true : value) : undefined })}
                />
              )),
            )}
          </div>
        ))}
        {search.folder && search.folder !== 'none' ? (
          <Option words={choices.flat.true} isOn={search.flat ?? false} onToggle={(on) => onChange({ flat: on || undefined })} />
        ) : (
          <Option
            words="In no folder"
            isOn={search.folder === 'none'}
            onToggle={(on) => onChange({ folder: on ? 'none' : undefined, flat: undefined })}
          />
        )}
        {labels.length > 0 && (
          <div role="group" aria-label="Has the label">
            <Menu.Label aria-hidden>Has the label</Menu.Label>
            {labels.slice(0, shownLabels).map(({ name }) => (
              <Option
                key={name}
                words={name}
                isOn={search.label === name}
                onToggle={(on) => onChange({ label: on ? name : undefined })}
              />
            ))}
          </div>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Option({ words, isOn, onToggle }: { words: string; isOn: boolean; onToggle: (on: boolean) => void }) {
  return (
    <Menu.CheckboxItem checked={isOn} onChange={onToggle}>
      {words}
    </Menu.CheckboxItem>
  );
}
