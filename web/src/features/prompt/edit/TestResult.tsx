import { ActionIcon } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheckFilled, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { api } from '~/api/client';
import type { Preview } from '~/api/types';
import { CopyButton, explain } from '~/ui';
import { formatValue } from '../model/values';
import { partsOf } from '../model/body';
import { usePrompt } from '../PromptContext';
import panel from './panel.module.css';
import classes from './PreviewPanel.module.css';
import { Rendered } from './Rendered';

interface Outcome {
  preview: Preview | null;
  error: unknown;
  values: Record<string, unknown>;
  at: number;
}

export interface Test {
  running: boolean;
  outcome: Outcome | null;
  run: (values: Record<string, unknown>) => Promise<void>;
  close: () => void;
}

/** Saves the draft, then renders it strictly, as a call with the samples would. */
export function useTest(): Test {
  const { session, details, readOnly } = usePrompt();
  const [running, setRunning] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);

  async function run(values: Record<string, unknown>) {
    setRunning(true);
    const body = session.current();
    try {
      if (readOnly === null) void session.autosave.flush();
      const { type, syntax, content, messages, variables } = body;
      const preview = await api.post<Preview>('/templates/preview', {
        type,
        syntax,
        content,
        messages,
        variables,
        values,
        render: true,
        slug: details.slug,
      });
      setOutcome({ preview, error: null, values, at: Date.now() });
    } catch (error) {
      setOutcome({ preview: null, error, values, at: Date.now() });
    } finally {
      setRunning(false);
    }
  }

  return { running, outcome, run, close: () => setOutcome(null) };
}

/** What a call with the samples gets: the text, or the reason why it would be refused. */
export function TestResult({ test }: { test: Test }) {
  const { outcome } = test;
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (outcome) place.current?.scrollIntoView({ block: 'nearest' });
  }, [outcome]);
  if (!outcome) return null;

  const { preview, error, values } = outcome;
  const refused = preview ? preview.problems : [];
  return (
    <section
      ref={place}
      className={`${panel.panel} ${classes.result} test-result`}
      role="status"
      aria-label="Test result"
    >
      <header className={panel.head}>
        <h2 className={panel.title}>Test result</h2>
        <span>
          {preview && refused.length === 0 && <CopyButton value={plainText(preview)} label="Copy the result" />}
          <ActionIcon variant="subtle" color="gray" size="sm" aria-label="Close the test result" onClick={test.close}>
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </span>
      </header>
      {error !== null ? (
        <Verdict ok={false}>{explain(error).title}</Verdict>
      ) : refused.length > 0 ? (
        <>
          <Verdict ok={false}>A call with these values would be refused</Verdict>
          <ul className={classes.values}>
            {refused.map((problem, index) => (
              <li key={index}>{problem.message}</li>
            ))}
          </ul>
        </>
      ) : (
        <Verdict ok>This is what a caller gets</Verdict>
      )}
      <Values values={values} />
      {preview && refused.length === 0 && <Rendered preview={preview} />}
      {refused.length > 0 && <p className={classes.values}>&nbsp;</p>}
    </section>
  );
}

function Verdict({ ok, children }: { ok: boolean; children: React.ReactNode }) {
  const Icon = ok ? IconCircleCheckFilled : IconAlertTriangle;
  return (
    <div className={classes.verdict} data-ok={ok}>
      <Icon size={16} aria-hidden />
      {children}
    </div>
  );
}

function Values({ values }: { values: Record<string, unknown> }) {
  const pairs = Object.entries(values);
  if (pairs.length === 0) return null;
  const shorten = (text: string) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);
  return (
    <p className={classes.values}>
      With {pairs.map(([name, value]) => `${name} = ${shorten(formatValue(value))}`).join(', ')}
    </p>
  );
}

function plainText(preview: Preview): string {
  if (!preview.messages) return preview.content ?? '';
  return preview.messages
    .map((message) =>
      'role' in message
        ? `${message.role}: ${partsOf(message)
            .map((p) => (p.type === 'text' ? p.text : ''))
            .join('\n')}`
        : '',
    )
    .join('\n\n');
}
