import type { MessageOrPlaceholder, Preview } from '~/api/types';
import { scan } from '~/features/templates/scan';
import { isPlaceholder, partsOf } from '../model/body';
import classes from './PreviewPanel.module.css';

type Result = Pick<Preview, 'content' | 'messages' | 'missing' | 'syntax'>;

/** A rendered prompt: one text, or its messages as blocks. What is missing is marked where it stands. */
export function Rendered({ preview }: { preview: Result }) {
  const missing = new Set(preview.missing);
  if (preview.messages) {
    if (preview.messages.length === 0) return <p className={classes.nothing}>No messages yet.</p>;
    return (
      <ol className={classes.messages}>
        {preview.messages.map((message, index) => (
          <li key={index}>
            <MessageView message={message} missing={missing} />
          </li>
        ))}
      </ol>
    );
  }
  const text = preview.content ?? '';
  if (text.trim() === '') return <p className={classes.nothing}>Nothing to show yet. What you write appears here.</p>;
  return (
    <div className={classes.text}>
      <Marked text={text} missing={missing} />
    </div>
  );
}

function MessageView({ message, missing }: { message: MessageOrPlaceholder; missing: Set<string> }) {
  if (isPlaceholder(message)) {
    return (
      <div className={classes.message} data-role="placeholder">
        <span className={classes.role}>the caller’s messages: {message.name}</span>
      </div>
    );
  }
  return (
    <div className={classes.message} data-role={message.role}>
      <span className={classes.role}>{message.role}</span>
      {partsOf(message).map((part, index) =>
        part.type === 'text' ? (
          <div key={index} className={classes.messageText}>
            <Marked text={part.text} missing={missing} />
          </div>
        ) : (
          <div key={index} className={classes.imagePart}>
            Image: {part.url ?? part.media_type ?? 'in the prompt'}
          </div>
        ),
      )}
    </div>
  );
}

/** Text in which the places that nothing was given for stand out. */
function Marked({ text, missing }: { text: string; missing: Set<string> }) {
  if (missing.size === 0) return text;
  const pieces: React.ReactNode[] = [];
  const tokens = scan(text, 'simple');
  let at = 0;
  tokens.forEach((token, index) => {
    if (token.kind !== 'variable') return;
    const open = tokens[index - 1]!;
    const close = tokens.slice(index + 1).find((t) => t.kind === 'delimiter')!;
    // A value may be there while the path into it leads nowhere: then the whole path is missing.
    const path = text.slice(token.from, close.from).trim();
    if (!missing.has(path) && !missing.has(token.name ?? '')) return;
    pieces.push(text.slice(at, open.from));
    pieces.push(
      <mark key={open.from} className={classes.missing} title={`${token.name} has no sample`}>
        {text.slice(open.from, close.to)}
      </mark>,
    );
    at = close.to;
  });
  pieces.push(text.slice(at));
  return pieces;
}
