import { SegmentedControl, Textarea, TextInput } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { ModelConfig } from '~/api/types';
import { useBody, usePrompt } from '../PromptContext';
import classes from './ConfigPanel.module.css';
import { configSummary, FIELDS, type Field, parseConfig, readField, writeField } from '../model/config';

/** The model settings that travel with the text. */
export function ConfigPanel() {
  const { session, readOnly } = usePrompt();
  const { config } = useBody();
  const [asJson, setAsJson] = useState(false);
  const set = (next: ModelConfig) => session.update((body) => ({ ...body, config: next }));

  return (
    <details className={classes.panel}>
      <summary className={classes.summary}>
        <IconChevronRight size={16} className={classes.chevron} aria-hidden />
        <span className={classes.title}>Model settings</span>
        <span className={classes.digest}>{configSummary(config)}</span>
      </summary>
      <div className={classes.body}>
        <div className={classes.intro}>
          <p>They are delivered with the text, so that whoever calls the model can use them. All are optional.</p>
          <SegmentedControl
            size="xs"
            aria-label="Show model settings"
            value={asJson ? 'json' : 'fields'}
            onChange={(value) => setAsJson(value === 'json')}
            data={[
              { value: 'fields', label: 'Fields' },
              { value: 'json', label: 'As JSON' },
            ]}
          />
        </div>
        {asJson ? (
          <JsonEditor config={config} onChange={set} readOnly={readOnly !== null} />
        ) : (
          <div className={classes.fields}>
            {FIELDS.map((field) => (
              <ConfigField key={field.key} field={field} config={config} onChange={set} readOnly={readOnly !== null} />
            ))}
          </div>
        )}
      </div>
    </details>
  );
}

interface PartProps {
  config: ModelConfig;
  onChange: (config: ModelConfig) => void;
  readOnly: boolean;
}

function ConfigField({ field, config, onChange, readOnly }: PartProps & { field: Field }) {
  const outside = readField(field, config);
  const [text, setText] = useState(outside);
  const [error, setError] = useState<string | null>(null);
  // What is typed may be on its way to being a number; only a change from outside replaces it.
  useEffect(() => {
    setText((typed) => (sameField(field, typed, outside) ? typed : outside));
    setError(null);
  }, [field, outside]);

  function change(typed: string) {
    setText(typed);
    const written = writeField(field, typed, config);
    setError(written.ok ? null : written.message);
    if (written.ok) onChange(written.value);
  }

  return (
    <TextInput
      size="xs"
      label={field.label}
      description={field.hint}
      placeholder={field.placeholder}
      inputMode={field.kind === 'number' || field.kind === 'integer' ? 'decimal' : undefined}
      value={text}
      error={error}
      readOnly={readOnly}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

function sameField(field: Field, typed: string, outside: string): boolean {
  const written = writeField(field, typed, {});
  return written.ok && readField(field, written.value) === outside;
}

function JsonEditor({ config, onChange, readOnly }: PartProps) {
  const outside = JSON.stringify(config, null, 2);
  const [text, setText] = useState(outside);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    setText((typed) => {
      const parsed = parseConfig(typed);
      return parsed.ok && JSON.stringify(parsed.value, null, 2) === outside ? typed : outside;
    });
    setError(null);
  }, [outside]);

  function change(typed: string) {
    setText(typed);
    const parsed = parseConfig(typed);
    setError(parsed.ok ? null : parsed.message);
    if (parsed.ok) onChange(parsed.value);
  }

  return (
    <Textarea
      aria-label="Model settings as JSON"
      className="mono"
      classNames={{ input: classes.json }}
      autosize
      minRows={5}
      spellCheck={false}
      value={text}
      error={error}
      readOnly={readOnly}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
