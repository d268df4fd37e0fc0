import { Button, Modal, Skeleton } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useMemo, useRef, useState } from 'react';
import type { PromptBody } from '~/api/types';
import dialogs from '../dialogs.module.css';
import { layOut, readBack } from '../model/layout';
import type { MergeHandle } from './MergeEditor';
import classes from './MergeDialog.module.css';

const MergeEditor = lazy(() => import('./MergeEditor'));

interface Props {
  opened: boolean;
  onClose: () => void;
  /** What happened, in a sentence or two. */
  children: ReactNode;
  /** Whose text stands at the left: "Ana’s draft", "v8". */
  theirName: string;
  theirs: PromptBody;
  mine: PromptBody;
  /** Goes on with a body of one's own: unchanged, or merged by hand. */
  onKeep: (body: PromptBody) => void;
  onTakeTheirs: () => void;
}

/** Two texts side by side, of which one is kept, or the best of both. Nothing is lost meanwhile. */
export function MergeDialog(props: Props) {
  const { opened, onClose } = props;
  return (
    <Modal opened={opened} onClose={onClose} title="Two texts, one prompt" size="min(80rem, 96vw)">
      {opened && <Choice {...props} />}
    </Modal>
  );
}

function Choice({ children, theirName, theirs, mine, onKeep, onTakeTheirs, onClose }: Props) {
  const left = useMemo(() => layOut(theirs), [theirs]);
  const right = useMemo(() => layOut(mine), [mine]);
  const editor = useRef<MergeHandle>(null);
  const [touched, setTouched] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const sameForm = theirs.type === mine.type && left !== null && right !== null;

  function keep() {
    if (!touched || !editor.current) return onKeep(mine);
    const merged = readBack(editor.current.text(), mine);
    if (merged) onKeep(merged);
    else setProblem('Every message needs a line like [user] before it.');
  }

  return (
    <>
      <div className={dialogs.text}>{children}</div>
      <div className={classes.heads}>
        <h3>{theirName}</h3>
        <h3>
          Yours
          {sameForm && <span className={classes.note}> – you can edit this side; the arrows bring over a part</span>}
        </h3>
      </div>
      {sameForm ? (
        <Suspense fallback={<Skeleton height={260} />}>
          <MergeEditor
            ref={editor}
            theirs={left}
            mine={right}
            theirName={theirName}
            onTouched={() => setTouched(true)}
          />
        </Suspense>
      ) : (
        <div className={classes.plain}>
          <pre tabIndex={0} aria-label={theirName}>
            {left ?? JSON.stringify(theirs.messages, null, 2)}
          </pre>
          <pre tabIndex={0} aria-label="Yours">
            {right ?? JSON.stringify(mine.messages, null, 2)}
          </pre>
        </div>
      )}
      <p className={classes.note}>Variables and model settings stay as on the side you choose.</p>
      {problem && (
        <p role="alert" style={{ color: 'var(--xr-danger)' }}>
          {problem}
        </p>
      )}
      <div className={dialogs.buttons}>
        <Button variant="default" onClick={onClose}>
          Decide later
        </Button>
        <Button variant="default" onClick={onTakeTheirs}>
          Take theirs
        </Button>
        <Button onClick={keep}>{touched ? 'Keep the merged text' : 'Keep mine'}</Button>
      </div>
    </>
  );
}
