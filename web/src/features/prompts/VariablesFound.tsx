import { discover } from '~/features/templates/scan';
import classes from './CreatePage.module.css';

/** Names the variables in a text as it is written, so that a typing mistake is seen at once. */
export function VariablesFound({ texts }: { texts: string[] }) {
  const names = [...new Set(texts.flatMap((text) => discover(text, /\{%/.test(text) ? 'jinja' : 'simple')))];
  if (names.length === 0) return null;
  return (
    <div className={classes.variables}>
      <span>{names.length === 1 ? 'Variable:' : 'Variables:'}</span>
      {names.map((name) => (
        <code key={name} className={classes.variable}>
          {name}
        </code>
      ))}
    </div>
  );
}
