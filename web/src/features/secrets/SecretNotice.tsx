import { CloseButton } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useDeferredValue, useMemo, useState } from 'react';
import { findSecrets } from './find';
import classes from './SecretNotice.module.css';

/** Warns when something in the texts looks like a key or a password. Can be waved away for what is there now. */
export function SecretNotice({ texts }: { texts: string[] }) {
  const text = useDeferredValue(texts.join('\n'));
  const found = useMemo(() => findSecrets(text), [text]);
  const names = found.map(({ kind, begins }) => `${kind} (${begins})`).join(', ');
  const [waved, setWaved] = useState('');
  if (found.length === 0 || waved === names) return null;
  return (
    <div className={classes.notice} role="status">
      <IconKey size={18} aria-hidden />
      <div>
        <strong>This looks like {names}.</strong> Everybody in the workspace and every program that fetches this prompt can
        read it. Take it out, write a variable such as <code>{'{{ token }}'}</code> in its place, and let the program fill it
        in. If it is a real secret, have it replaced: earlier versions keep it.
      </div>
      <CloseButton size="sm" aria-label="This is no secret" onClick={() => setWaved(names)} />
    </div>
  );
}
