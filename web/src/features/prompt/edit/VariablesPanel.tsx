import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { PreviewProblem, PreviewVariable, Variable } from '~/api/types';
import { VariableHelp } from '~/features/help/topics';
import { TYPE_WORDS } from '~/features/templates/words';
import { notifyUndo } from '~/ui';
import { type EditVariable, newKey } from '../model/body';
import { useBody, usePrompt } from '../PromptContext';
import panel from './panel.module.css';
import type { VariableUse } from './use-known-variables';
import { VariableCard } from './VariableCard';
import classes from './VariablesPanel.module.css';

interface Props {
  use: VariableUse;
  problems: PreviewProblem[];
}

/** What callers can fill in: described here, or found in the text. */
export function VariablesPanel({ use, problems }: Props) {
  const { session, readOnly } = usePrompt();
  const { variables, syntax } = useBody();

  const setVariables = (change: (all: EditVariable[]) => EditVariable[]) =>
    session.update((body) => ({ ...body, variables: change(body.variables) }));
  const change = (key: string, variable: Variable) =>
    setVariables((all) => all.map((v) => (v.key === key ? { key, variable } : v)));

  function declare(name: string, more: Partial<Variable> = {}) {
    setVariables((all) => [...all, { key: newKey(), variable: { name, type: 'string', required: false, ...more } }]);
  }

  function remove(index: number) {
    const removed = variables[index]!;
    setVariables((all) => all.filter((v) => v.key !== removed.key));
    notifyUndo({
      message: `${removed.variable.name || 'The variable'} was removed`,
      undo: () => setVariables((all) => [...all.slice(0, index), removed, ...all.slice(index)]),
    });
  }

  const names = variables.map((v) => v.variable.name);
  const undeclared = use.undeclared.filter((name) => !names.includes(name));
  const problemOf = (name: string) =>
    problems.find((p) => p.variable === name && p.code === 'INVALID_VARIABLES')?.message;

  return (
    <section className={panel.panel} aria-label="Variables">
      <header className={panel.head}>
        <span className={panel.titled}>
          <h2 className={panel.title}>Variables</h2>
          <VariableHelp />
        </span>
        {readOnly === null && syntax !== 'none' && (
          <Button
            size="compact-xs"
            variant="subtle"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => declare(freeName(names))}
          >
            Add
          </Button>
        )}
      </header>
      {variables.length + undeclared.length + use.included.length === 0 ? (
        <p className={panel.empty}>
          {syntax === 'none'
            ? 'Plain text has no variables. Change the syntax to Simple to fill something in.'
            : 'None yet. Write {{ name }} in the text where callers fill something in.'}
        </p>
      ) : (
        <ul className={classes.list}>
          {/* First, because they are new and ask for something. */}
          {undeclared.map((name) => (
            <Found key={name} name={name} readOnly={readOnly !== null} onDeclare={(more) => declare(name, more)} />
          ))}
          {variables.map(({ key, variable }, index) => (
            <VariableCard
              key={key}
              variable={variable}
              used={use.used.includes(variable.name)}
              taken={names.filter((_, i) => i !== index)}
              problem={problemOf(variable.name)}
              readOnly={readOnly !== null}
              onChange={(next) => change(key, next)}
              onRemove={() => remove(index)}
            />
          ))}
          {use.included.map((variable) => (
            <Included key={variable.name} variable={variable} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** A variable of the text that nobody has described: it works, as an optional text. */
function Found({
  name,
  readOnly,
  onDeclare,
}: {
  name: string;
  readOnly: boolean;
  onDeclare: (more?: Partial<Variable>) => void;
}) {
  return (
    <li className={classes.card} data-found>
      <div className={classes.row}>
        <span className={classes.name}>{name}</span>
        <span className={classes.type}>found in the text</span>
        {!readOnly && (
          <Button
            size="compact-xs"
            variant="light"
            className={classes.end}
            aria-label={`Describe ${name}`}
            onClick={() => onDeclare()}
          >
            Describe
          </Button>
        )}
      </div>
    </li>
  );
}

/** A variable that a snippet in the text brings with it; it is described there. */
function Included({ variable }: { variable: PreviewVariable }) {
  return (
    <li className={classes.card} data-found>
      <div className={classes.row}>
        <span className={classes.name}>{variable.name}</span>
        <span className={classes.type}>
          {TYPE_WORDS[variable.type]}
          {variable.required ? ', required' : ''}, from a snippet
        </span>
      </div>
      {variable.description && <p className={classes.description}>{variable.description}</p>}
    </li>
  );
}

function freeName(taken: string[]): string {
  let name = 'new_variable';
  for (let n = 2; taken.includes(name); n++) name = `new_variable_${n}`;
  return name;
}
