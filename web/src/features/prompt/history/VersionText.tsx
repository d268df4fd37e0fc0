import type { PromptBody } from '~/api/types';
import { scan } from '~/features/templates/scan';
import { SYNTAX_WORDS, TYPE_WORDS } from '~/features/templates/words';
import { configSummary } from '../model/config';
import { isPlaceholder, partsOf } from '../model/body';
import classes from './History.module.css';

/** A version as it was written, to read. */
export function VersionText({ version }: { version: PromptBody }) {
  return (
    <div className={classes.text}>
      {version.type === 'chat' ? (
        <ol className={classes.messages}>
          {(version.messages ?? []).map((message, index) => (
            <li key={index}>
              <span className={classes.role}>
                {isPlaceholder(message) ? `Place for messages: ${message.name}` : message.role}
              </span>
              {partsOf(message).map((part, at) => (
                <div key={at} className={classes.written}>
                  {part.type === 'text' ? (
                    <Coloured text={part.text} syntax={version.syntax} />
                  ) : (
                    `Image: ${part.url ?? part.media_type ?? ''}`
                  )}
                </div>
              ))}
            </li>
          ))}
        </ol>
      ) : (
        <div className={classes.written}>
          <Coloured text={version.content ?? ''} syntax={version.syntax} />
        </div>
      )}
      <dl className={classes.facts}>
        <dt>Syntax</dt>
        <dd>{SYNTAX_WORDS[version.syntax].name}</dd>
        <dt>Model settings</dt>
        <dd>{configSummary(version.config ?? {})}</dd>
        <dt>Variables</dt>
        <dd>
          {version.variables.length === 0
            ? 'none'
            : version.variables.map((v) => (
                <span key={v.name} className={classes.variable}>
                  <span className="mono">{v.name}</span> {TYPE_WORDS[v.type].toLowerCase()}
                  {v.required ? ', required' : ''}
                </span>
              ))}
        </dd>
      </dl>
    </div>
  );
}

function Coloured({ text, syntax }: { text: string; syntax: PromptBody['syntax'] }) {
  const pieces: React.ReactNode[] = [];
  let at = 0;
  for (const token of scan(text, syntax)) {
    if (token.kind !== 'variable') continue;
    pieces.push(
      text.slice(at, token.from),
      <span key={token.from} className={classes.name}>
        {text.slice(token.from, token.to)}
      </span>,
    );
    at = token.to;
  }
  pieces.push(text.slice(at));
  return pieces;
}
