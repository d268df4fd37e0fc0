import { ActionIcon, Button } from '@mantine/core';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { useId, useState } from 'react';
import type { Variable } from '~/api/types';
import { TYPE_WORDS } from '~/features/templates/words';
import { formatValue } from '../model/values';
import { ValueField } from './ValueField';
import { VariableForm } from './VariableForm';
import classes from './VariablesPanel.module.css';

interface Props {
  variable: Variable;
  used: boolean;
  /** Names of the other variables. */
  taken: string[];
  /** What is wrong with its sample, as the server says. */
  problem?: string;
  readOnly: boolean;
  onChange: (variable: Variable) => void;
  onRemove: () => void;
}

/** A described variable: its sample at hand, everything else one click away. */
export function VariableCard({ variable, used, taken, problem, readOnly, onChange, onRemove }: Props) {
  const [open, setOpen] = useState(variable.name.startsWith('new_variable'));
  const form = useId();
  const Chevron = open ? IconChevronUp : IconChevronDown;
  return (
    <li className={classes.card}>
      <div className={classes.row}>
        <span className={classes.name}>{variable.name || 'without a name'}</span>
        <span className={classes.type}>
          {TYPE_WORDS[variable.type]}
          {variable.required && variable.default === undefined ? ', required' : ''}
        </span>
        {!used && <span className={classes.unused}>not used in the text</span>}
        {!used && !readOnly && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            aria-label={`Remove ${variable.name}`}
            onClick={onRemove}
          >
            Remove
          </Button>
        )}
        <ActionIcon
          className={classes.end}
          variant="subtle"
          color="gray"
          size="sm"
          aria-expanded={open}
          aria-controls={form}
          aria-label={`Details of ${variable.name}`}
          onClick={() => setOpen(!open)}
        >
          <Chevron size={16} aria-hidden />
        </ActionIcon>
      </div>
      {variable.description && !open && <p className={classes.description}>{variable.description}</p>}
      <ValueField
        variable={variable}
        label={`Sample for ${variable.name}`}
        value={variable.sample}
        placeholder={
          variable.default !== undefined && variable.default !== null
            ? `Default: ${formatValue(variable.default)}`
            : 'Sample value'
        }
        error={problem}
        readOnly={readOnly}
        onChange={(sample) => onChange({ ...variable, sample })}
      />
      <div id={form}>
        {open && (
          <VariableForm variable={variable} taken={taken} readOnly={readOnly} onChange={onChange} onRemove={onRemove} />
        )}
      </div>
    </li>
  );
}
