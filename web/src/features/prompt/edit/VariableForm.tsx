import { Button, NativeSelect, Switch, Textarea, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { Variable, VariableType } from '~/api/types';
import { TYPE_WORDS } from '~/features/templates/words';
import { formatValue, parseValue } from '../model/values';
import { ValueField } from './ValueField';
import classes from './VariablesPanel.module.css';

interface Props {
  variable: Variable;
  taken: string[];
  readOnly: boolean;
  onChange: (variable: Variable) => void;
  onRemove: () => void;
}

const types = (['string', 'integer', 'number', 'boolean', 'array', 'object', 'any'] as VariableType[]).map((value) => ({
  value,
  label: TYPE_WORDS[value],
}));

/** The whole contract of a variable. */
export function VariableForm({ variable, taken, readOnly, onChange, onRemove }: Props) {
  const set = (more: Partial<Variable>) => onChange({ ...variable, ...more });
  const numeric = variable.type === 'integer' || variable.type === 'number';
  const choosable = numeric || variable.type === 'string' || variable.type === 'any';
  return (
    <div className={classes.form}>
      <NameField name={variable.name} taken={taken} readOnly={readOnly} onChange={(name) => set({ name })} />
      <NativeSelect
        size="xs"
        label="Kind"
        data={types}
        value={variable.type}
        disabled={readOnly}
        onChange={(event) => onChange(withKind(variable, event.currentTarget.value as VariableType))}
      />
      <Textarea
        className={classes.wide}
        size="xs"
        label="What it is for"
        autosize
        minRows={1}
        value={variable.description ?? ''}
        readOnly={readOnly}
        onChange={(event) => set({ description: event.currentTarget.value })}
      />
      <Switch
        className={classes.wide}
        size="xs"
        label="Required"
        description={
          variable.required
            ? 'Calls without it are refused, unless there is a default.'
            : 'Calls without it still work.'
        }
        checked={variable.required}
        disabled={readOnly}
        onChange={(event) => set({ required: event.currentTarget.checked })}
      />
      <ValueField
        variable={variable}
        label="Default"
        showLabel
        value={variable.default}
        placeholder="None"
        readOnly={readOnly}
        onChange={(value) => set({ default: value })}
      />
      {choosable && (
        <ChoicesField variable={variable} readOnly={readOnly} onChange={(choices) => set({ enum: choices })} />
      )}
      {numeric && (
        <>
          <LimitField label="Smallest" value={variable.min} readOnly={readOnly} onChange={(min) => set({ min })} />
          <LimitField label="Largest" value={variable.max} readOnly={readOnly} onChange={(max) => set({ max })} />
        </>
      )}
      {(variable.type === 'string' || variable.type === 'array') && (
        <>
          <LimitField
            label="Shortest"
            value={variable.min_length}
            readOnly={readOnly}
            onChange={(min_length) => set({ min_length })}
          />
          <LimitField
            label="Longest"
            value={variable.max_length}
            readOnly={readOnly}
            onChange={(max_length) => set({ max_length })}
          />
        </>
      )}
      {variable.type === 'string' && (
        <TextInput
          className={classes.wide}
          classNames={{ input: classes.mono }}
          size="xs"
          label="Pattern"
          description="A regular expression the value must match"
          placeholder="^[A-Z]{2}$"
          value={variable.pattern ?? ''}
          readOnly={readOnly}
          onChange={(event) => set({ pattern: event.currentTarget.value || undefined })}
        />
      )}
      {!readOnly && (
        <div className={classes.foot}>
          <Button
            size="compact-xs"
            variant="subtle"
            color="red"
            leftSection={<IconTrash size={14} aria-hidden />}
            onClick={onRemove}
          >
            Remove {variable.name}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Another kind keeps what still means something. */
function withKind(variable: Variable, type: VariableType): Variable {
  const { name, required, description } = variable;
  const refit = (value: unknown) => {
    const parsed = parseValue(type, formatValue(value));
    return parsed.ok ? parsed.value : undefined;
  };
  return { name, type, required, description, default: refit(variable.default), sample: refit(variable.sample) };
}

function NameField({
  name,
  taken,
  readOnly,
  onChange,
}: {
  name: string;
  taken: string[];
  readOnly: boolean;
  onChange: (name: string) => void;
}) {
  const [text, setText] = useState(name);
  useEffect(() => setText(name), [name]);
  const error = !/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
    ? 'Letters, digits and _, not beginning with a digit'
    : taken.includes(text)
      ? 'There is one of this name already'
      : null;
  return (
    <TextInput
      size="xs"
      label="Name"
      classNames={{ input: classes.mono }}
      value={text}
      error={error}
      readOnly={readOnly}
      spellCheck={false}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => (error ? setText(name) : text !== name && onChange(text))}
      onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
    />
  );
}

function ChoicesField({
  variable,
  readOnly,
  onChange,
}: {
  variable: Variable;
  readOnly: boolean;
  onChange: (choices: unknown[] | undefined) => void;
}) {
  const outside = (variable.enum ?? []).map(formatValue).join(', ');
  const [text, setText] = useState(outside);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => setText(outside), [outside]);

  function keep() {
    const words = text
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean);
    const parsed = words.map((word) => parseValue(variable.type, word));
    const bad = parsed.find((p) => !p.ok);
    setError(bad && !bad.ok ? bad.message : null);
    if (bad) return;
    const choices = parsed.flatMap((p) => (p.ok ? [p.value] : []));
    onChange(choices.length > 0 ? choices : undefined);
  }

  return (
    <TextInput
      size="xs"
      label="Only these values"
      placeholder="Any"
      description="With commas between"
      value={text}
      error={error}
      readOnly={readOnly}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={keep}
      onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
    />
  );
}

interface LimitProps {
  label: string;
  value: number | undefined | null;
  readOnly: boolean;
  onChange: (value: number | undefined) => void;
}

function LimitField({ label, value, readOnly, onChange }: LimitProps) {
  return (
    <ValueField
      variable={{ type: 'number' }}
      label={label}
      showLabel
      value={value}
      placeholder="No limit"
      readOnly={readOnly}
      onChange={(next) => onChange(next as number | undefined)}
    />
  );
}
