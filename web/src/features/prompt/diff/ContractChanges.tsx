import type { Diff, Variable } from '~/api/types';
import { TYPE_WORDS } from '~/features/templates/words';
import { SYNTAX_WORDS } from '~/features/templates/words';
import { formatValue } from '../model/values';
import classes from './DiffView.module.css';

/** What changed beside the text: form, syntax, variables, model settings. */
export function ContractChanges({ diff }: { diff: Diff }) {
  const { variables, config, syntax, type_changed } = diff;
  const settings = config ? changedSettings(config.before, config.after) : [];
  const nothing =
    !type_changed &&
    !syntax &&
    settings.length === 0 &&
    variables.added.length + variables.removed.length + variables.changed.length === 0;
  if (nothing) return null;
  return (
    <ul className={classes.facts}>
      {type_changed && <li>The form changed between text and chat</li>}
      {syntax && (
        <li>
          Syntax: <del>{SYNTAX_WORDS[syntax.before].name}</del> → <ins>{SYNTAX_WORDS[syntax.after].name}</ins>
        </li>
      )}
      {variables.added.map((name) => (
        <li key={`+${name}`}>
          New variable <ins className="mono">{name}</ins>
        </li>
      ))}
      {variables.removed.map((name) => (
        <li key={`-${name}`}>
          Removed variable <del className="mono">{name}</del>
        </li>
      ))}
      {variables.changed.map(({ name, before, after }) => (
        <li key={name}>
          Variable <span className="mono">{name}</span>: {changedParts(before, after).join('; ') || 'described anew'}
        </li>
      ))}
      {settings.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

const PARTS: [keyof Variable, string][] = [
  ['default', 'default'],
  ['enum', 'allowed values'],
  ['min', 'smallest'],
  ['max', 'largest'],
  ['min_length', 'shortest'],
  ['max_length', 'longest'],
  ['pattern', 'pattern'],
  ['sample', 'sample'],
  ['description', 'description'],
];

function changedParts(before: Variable, after: Variable): string[] {
  const parts: string[] = [];
  if (before.type !== after.type) parts.push(`${TYPE_WORDS[before.type]} → ${TYPE_WORDS[after.type]}`);
  if (before.required !== after.required) parts.push(after.required ? 'now required' : 'no longer required');
  for (const [key, words] of PARTS) {
    const old = formatValue(before[key]);
    const now = formatValue(after[key]);
    if (old !== now) parts.push(`${words}: ${old || 'none'} → ${now || 'none'}`);
  }
  return parts;
}

function changedSettings(before: Record<string, unknown> | null, after: Record<string, unknown> | null): string[] {
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...keys].flatMap((key) => {
    const old = formatValue(before?.[key]);
    const now = formatValue(after?.[key]);
    return old === now ? [] : [`Model setting ${key}: ${old || 'none'} → ${now || 'none'}`];
  });
}
