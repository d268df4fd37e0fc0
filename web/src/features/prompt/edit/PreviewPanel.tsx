import { Button, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import type { PreviewProblem } from '~/api/types';
import { explain } from '~/ui';
import panel from './panel.module.css';
import classes from './PreviewPanel.module.css';
import { Rendered } from './Rendered';
import type { LiveCheck } from './use-live-check';

interface Props {
  check: LiveCheck;
  /** Places for the caller's messages: nobody gives samples for them. */
  placeholders: string[];
  onJump: (problem: PreviewProblem) => void;
}

const count = new Intl.NumberFormat();

/** The text as callers get it, filled with the samples, a moment behind the typing. */
export function PreviewPanel({ check, placeholders, onJump }: Props) {
  const { preview, error } = check;
  return (
    <section className={panel.panel} aria-label="Preview">
      <header className={panel.head}>
        <h2 className={panel.title}>Preview</h2>
        {preview && (
          <span className={panel.note}>
            {count.format(preview.stats.words)} words, {count.format(preview.stats.characters)} characters
          </span>
        )}
      </header>
      {preview ? (
        <>
          <Problems
            problems={preview.problems}
            missing={preview.missing.filter((name) => !placeholders.includes(name))}
            onJump={onJump}
          />
          {preview.problems.some((p) => p.code === 'TEMPLATE_ERROR') && (
            <p className={classes.stale}>This is the text as written. It is filled in when the mistake is mended.</p>
          )}
          <Rendered preview={preview} />
        </>
      ) : error ? (
        <p className={panel.empty}>{explain(error).text}</p>
      ) : (
        <div className={classes.loading}>
          <Skeleton height={12} width="90%" />
          <Skeleton height={12} width="75%" />
          <Skeleton height={12} width="82%" />
        </div>
      )}
      {preview && error !== null && (
        <p className={classes.stale} role="status">
          The preview is not up to date: {explain(error).title.toLowerCase()}.
        </p>
      )}
    </section>
  );
}

/** The server puts what belongs into the text between backticks. */
function asCode(words: string): React.ReactNode[] {
  return words.split('`').map((piece, index) => (index % 2 === 1 ? <code key={index}>{piece}</code> : piece));
}

interface ProblemsProps {
  problems: PreviewProblem[];
  missing: string[];
  onJump: (problem: PreviewProblem) => void;
}

function Problems({ problems, missing, onJump }: ProblemsProps) {
  // What is merely missing a sample is marked in the text; only what a caller would be refused for is a problem.
  const optional = missing.filter((name) => !problems.some((p) => p.variable === name));
  if (problems.length === 0 && optional.length === 0) return null;
  return (
    <ul className={classes.problems}>
      {problems.map((problem, index) => (
        <li key={index} className={classes.problem} data-grave={problem.code === 'TEMPLATE_ERROR' || undefined}>
          <IconAlertTriangle size={15} aria-hidden />
          <span>
            {problem.code === 'MISSING_VARIABLES' && problem.variable
              ? `${problem.variable} is required: give it a sample to see it here.`
              : asCode(problem.message)}
          </span>
          {problem.line > 0 && problem.code === 'TEMPLATE_ERROR' && (
            <Button size="compact-xs" variant="subtle" onClick={() => onJump(problem)}>
              Line {problem.line}
            </Button>
          )}
        </li>
      ))}
      {optional.length > 0 && (
        <li className={classes.problem} data-info>
          <IconInfoCircle size={15} aria-hidden />
          <span>
            Without a sample: <span className="mono">{optional.join(', ')}</span>
          </span>
        </li>
      )}
    </ul>
  );
}
