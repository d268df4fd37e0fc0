import { NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { Variable } from '~/api/types';
import { formatValue, parseValue } from '../model/values';

interface Props {
  variable: Pick<Variable, 'type' | 'enum'>;
  /** Shown above the field with `showLabel`, else only heard. */
  label: string;
  showLabel?: boolean;
  value: unknown;
  placeholder?: string;
  error?: string;
  readOnly: boolean;
  onChange: (value: unknown) => void;
}

/** A field for a value of a variable's type. */
export function ValueField({
  variable,
  label,
  showLabel = false,
  value,
  placeholder,
  error,
  readOnly,
  onChange,
}: Props) {
  const { type } = variable;
  const outside = formatValue(value);
  const [text, setText] = useState(outside);
  const [wrong, setWrong] = useState<string | null>(null);

  // Text on its way to being a value stays as typed; only a change from outside replaces it.
  useEffect(() => {
    setText((typed) => {
      const parsed = parseValue(type, typed);
      return parsed.ok && formatValue(parsed.value) === outside ? typed : outside;
    });
    setWrong(null);
  }, [type, outside]);

  function change(typed: string) {
    setText(typed);
    const parsed = parseValue(type, typed);
    setWrong(parsed.ok ? null : parsed.message);
    if (parsed.ok) onChange(parsed.value);
  }

  const naming = showLabel ? { label } : { 'aria-label': label };
  const common = { size: 'xs', error: wrong ?? error, ...naming } as const;

  if (!readOnly && (variable.enum?.length || type === 'boolean')) {
    const options = variable.enum?.length ? variable.enum.map(formatValue) : ['true', 'false'];
    const words = (option: string) => (type === 'boolean' ? (option === 'true' ? 'Yes' : 'No') : option);
    return (
      <NativeSelect
        {...common}
        value={text}
        data={[
          { value: '', label: placeholder ?? 'Not set' },
          ...options.map((option) => ({ value: option, label: words(option) })),
        ]}
        onChange={(event) => change(event.currentTarget.value)}
      />
    );
  }
  if (type === 'integer' || type === 'number') {
    return (
      <TextInput
        {...common}
        inputMode="decimal"
        value={text}
        placeholder={placeholder}
        readOnly={readOnly}
        onChange={(event) => change(event.currentTarget.value)}
      />
    );
  }
  return (
    <Textarea
      {...common}
      autosize
      minRows={1}
      maxRows={6}
      spellCheck={type === 'string'}
      value={text}
      placeholder={type === 'array' ? '["a", "b"]' : type === 'object' ? '{"name": "Ana"}' : placeholder}
      readOnly={readOnly}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
