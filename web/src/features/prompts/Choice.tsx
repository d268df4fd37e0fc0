import { Button, Combobox, useCombobox } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import classes from './FilterBar.module.css';

interface Props {
  label: string;
  icon: ReactNode;
  values: string[];
  onPick: (value: string) => void;
}

/** From so many values on one can type to find one. */
const searchFrom = 8;
const most = 200;

/** A button that opens the values to choose one from. Once chosen, it stands as a chip beside it. */
export function Choice({ label, icon, values, onPick }: Props) {
  const [typed, setTyped] = useState('');
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      combobox.focusTarget();
      setTyped('');
    },
    onDropdownOpen: () => combobox.focusSearchInput(),
  });
  if (values.length === 0) return null;
  const wanted = typed.trim().toLowerCase();
  const found = values.filter((value) => value.toLowerCase().includes(wanted)).slice(0, most);
  return (
    <Combobox
      store={combobox}
      width={240}
      position="bottom-start"
      withinPortal
      onOptionSubmit={(value) => {
        combobox.closeDropdown();
        onPick(value);
      }}
    >
      <Combobox.Target withAriaAttributes={false}>
        <Button
          variant="default"
          size="xs"
          className={classes.chip}
          leftSection={icon}
          aria-haspopup="listbox"
          aria-expanded={combobox.dropdownOpened}
          onClick={() => combobox.toggleDropdown()}
        >
          {label}
        </Button>
      </Combobox.Target>
      <Combobox.Dropdown>
        {values.length >= searchFrom && (
          <Combobox.Search
            value={typed}
            onChange={(event) => {
              setTyped(event.currentTarget.value);
              combobox.selectFirstOption();
            }}
            placeholder="Type to find one"
            aria-label={`Find a ${label.toLowerCase()}`}
          />
        )}
        <Combobox.Options className={classes.values} aria-label={label}>
          {found.map((value) => (
            <Combobox.Option key={value} value={value}>
              {value}
            </Combobox.Option>
          ))}
          {found.length === 0 && <Combobox.Empty>Nothing has this name</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
