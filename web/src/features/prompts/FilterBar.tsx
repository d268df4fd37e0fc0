import { Button, Menu, TextInput } from '@mantine/core';
import { IconArrowsSort, IconCategory, IconHash, IconSearch } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ActiveFilters } from './ActiveFilters';
import { Choice } from './Choice';
import classes from './FilterBar.module.css';
import { defaultSort, isFiltered, type ListSearch, noFilters, type Sort, sorts, tagsOf, withTags } from './filters';
import { MoreFilters } from './MoreFilters';
import { useSearchBox } from './use-search-box';

interface Props {
  search: ListSearch;
  facets: { categories: string[]; tags: string[] };
  onChange: (change: Partial<ListSearch>) => void;
  count: ReactNode;
  /** What else can be done with the question as it is, such as keeping it. */
  children?: ReactNode;
}

/** Search, filters and order of the list. All of it stands in the address. */
export function FilterBar({ search, facets, onChange, count, children }: Props) {
  const box = useSearchBox(search.q ?? '', (q) => onChange({ q: q || undefined }));
  const tags = tagsOf(search);
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
      {!search.category && (
        <Choice
          label="Category"
          icon={<IconCategory size={14} aria-hidden />}
          values={facets.categories}
          onPick={(category) => onChange({ category })}
        />
      )}
      <Choice
        label="Tag"
        icon={<IconHash size={14} aria-hidden />}
        values={facets.tags.filter((tag) => !tags.includes(tag))}
        onPick={(tag) => onChange({ tag: withTags([...tags, tag]) })}
      />
      <MoreFilters search={search} onChange={onChange} />
      <ActiveFilters search={search} onChange={onChange} />
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
      {children}
      <Order search={search} onChange={onChange} />
    </div>
  );
}

function Order({ search, onChange }: Pick<Props, 'search' | 'onChange'>) {
  const usual = search.q ? 'Best match' : search.recent ? 'My latest edits' : sorts[defaultSort];
  const shown = search.sort ? sorts[search.sort] : usual;
  const choices: [Sort | undefined, string][] = [
    [undefined, usual],
    ...Object.entries(sorts).filter(([, label]) => label !== usual) as [Sort, string][],
  ];
  return (
    <Menu>
      <Menu.Target>
        <Button variant="subtle" color="gray" size="xs" className={classes.chip} leftSection={<IconArrowsSort size={14} aria-hidden />}>
          {shown}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Order by</Menu.Label>
        {choices.map(([value, label]) => (
          <Menu.Item key={label} aria-current={shown === label || undefined} onClick={() => onChange({ sort: value })}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
