import { useEffect, useRef, useState } from 'react';
import { notifyError } from '~/ui';
import { usePromptActions } from '../actions';
import { usePrompt } from '../PromptContext';
import classes from './PromptHeader.module.css';

/** The title, edited where it stands: Enter or leaving keeps it, Escape takes it back. */
export function TitleField() {
  const { details, readOnly } = usePrompt();
  const { saveFields } = usePromptActions();
  const [text, setText] = useState(details.title);
  const cancelled = useRef(false);
  useEffect(() => setText(details.title), [details.title]);

  async function keep() {
    const title = text.trim();
    if (cancelled.current || title === '' || title === details.title) {
      cancelled.current = false;
      setText(details.title);
      return;
    }
    try {
      await saveFields({ title });
    } catch (error) {
      notifyError(error, 'The title was not changed');
    }
  }

  function onKeyDown(event: React.KeyboardEvent<HTMLInputElement>) {
    if (event.key === 'Enter') event.currentTarget.blur();
    if (event.key === 'Escape') {
      cancelled.current = true;
      event.currentTarget.blur();
    }
  }

  return (
    <h1 className={classes.title}>
      <input
        className={classes.titleInput}
        data-large
        aria-label="Title"
        value={text}
        maxLength={200}
        readOnly={readOnly !== null}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={() => void keep()}
        onKeyDown={onKeyDown}
      />
    </h1>
  );
}
