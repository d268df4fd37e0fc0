import { Button, Menu, TextInput } from '@mantine/core';
import { IconArchive, IconArrowsSort, IconCategory, IconHash, IconMoonStars, IconSearch, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './FilterBar.module.css';
import { defaultSort, isFiltered, type ListSearch, noFilters, type Sort, sorts, unusedDays } from './filters';
import { useSearchBox } from './use-search-box';

interface Props {
  search: ListSearch;
  facets: { categories: string[]; tags: string[] };
  onChange: (change: Partial<ListSearch>) => void;
  count: ReactNode;
}

/** Search, filters and order of the list. All of it stands in the address. */
export function FilterBar({ search, facets, onChange, count }: Props) {
  const box = useSearchBox(search.q ?? '', (q) => onChange({ q: q || undefined }));
  return (
    <div className={classes.bar}>
      <TextInput
        type="search"
        className={classes.search}
        aria-label="Search prompts"
        placeholder="Search titles, slugs and text"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={box.value}
        onChange={(event) => box.set(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
          if (event.key === 'Enter') box.flush();
        }}
      />
      <Choice
        label="Category"
        icon={<IconCategory size={14} aria-hidden />}
        values={facets.categories}
        value={search.category}
        onPick={(category) => onChange({ category })}
      />
      <Choice
        label="Tag"
        icon={<IconHash size={14} aria-hidden />}
        values={facets.tags}
        value={search.tag}
        onPick={(tag) => onChange({ tag })}
      />
      <Button
        variant={search.archived ? 'light' : 'default'}
        size="xs"
        className={classes.chip}
        aria-pressed={search.archived ?? false}
        leftSection={<IconArchive size={14} aria-hidden />}
        rightSection={search.archived ? <IconX size={12} aria-hidden /> : null}
        onClick={() => onChange({ archived: search.archived ? undefined : true })}
      >
        Archived
      </Button>
      <Button
        variant={search.unused ? 'light' : 'default'}
        size="xs"
        className={classes.chip}
        aria-pressed={search.unused ?? false}
        leftSection={<IconMoonStars size={14} aria-hidden />}
        rightSection={search.unused ? <IconX size={12} aria-hidden /> : null}
        onClick={() => onChange({ unused: search.unused ? undefined : true })}
      >
        Unused for {unusedDays} days
      </Button>
      {isFiltered(search) && (
        <Button
          variant="subtle"
          size="xs"
          className={classes.chip}
          onClick={() => {
            box.reset();
            onChange(noFilters());
          }}
        >
          Clear all
        </Button>
      )}
      <span className={classes.count} aria-live="polite">
        {count}
      </span>
      <Menu>
        <Menu.Target>
          <Button variant="subtle" color="gray" size="xs" className={classes.chip} leftSection={<IconArrowsSort size={14} aria-hidden />}>
            {sorts[search.sort ?? defaultSort]}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Order by</Menu.Label>
          {Object.entries(sorts).map(([value, label]) => (
            <Menu.Item
              key={value}
              aria-current={(search.sort ?? defaultSort) === value || undefined}
              onClick={() => onChange({ sort: value === defaultSort ? undefined : (value as Sort) })}
            >
              {label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  icon: ReactNode;
  values: string[];
  value: string | undefined;
  onPick: (value: string | undefined) => void;
}

/** A filter as a chip: a menu while it is open to choose, the chosen value with a cross after. */
function Choice({ label, icon, values, value, onPick }: ChoiceProps) {
  if (value) {
    return (
      <Button
        variant="light"
        size="xs"
        className={classes.chip}
        leftSection={icon}
        rightSection={<IconX size={12} aria-hidden />}
        aria-label={`${label}: ${value}. Remove this filter`}
        onClick={() => onPick(undefined)}
      >
        {label}: {value}
      </Button>
    );
  }
  if (values.length === 0) return null;
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button variant="default" size="xs" className={classes.chip} leftSection={icon}>
          {label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.values}>
        {values.map((option) => (
          <Menu.Item key={option} onClick={() => onPick(option)}>
            {option}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
