import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { explain } from './explain';

/** Says that something went well. Keep it short. */
export function notifyDone(message: string): void {
  notifications.show({ message, autoClose: 4000 });
}

/** Says something that wants to be read before it goes, but is no failure. */
export function notifyNote(message: string): void {
  notifications.show({ message, color: 'yellow', autoClose: 12_000 });
}

/** Says that something failed, what it means, and the reference to quote. */
export function notifyError(error: unknown, title?: string): void {
  const explanation = explain(error);
  const requestId = (error as { requestId?: string | null })?.requestId;
  notifications.show({
    title: title ?? explanation.title,
    message: (
      <>
        {explanation.text}
        {requestId && <div className="mono">Reference {requestId}</div>}
      </>
    ),
    color: 'red',
    autoClose: 12_000,
  });
}

/** Says that something went well, with a line below that goes on moving. */
export function notifyReach(message: string, more: ReactNode): void {
  notifications.show({ message: <Moving message={message} more={more} />, autoClose: 15_000 });
}

function Moving({ message, more }: { message: string; more: ReactNode }) {
  return (
    <span style={{ display: 'grid', gap: 2 }}>
      <span>{message}</span>
      {more}
    </span>
  );
}

interface Undoable {
  message: string;
  /** A second line, which may go on moving. */
  more?: ReactNode;
  undo: () => Promise<unknown> | void;
  /** What the button says. */
  label?: string;
}

/** Says what was done, with a button that takes it back: instead of asking "are you sure?" before. */
export function notifyUndo({ message, more, undo, label = 'Undo' }: Undoable): void {
  const id = crypto.randomUUID?.() ?? String(Math.random());
  async function takeBack() {
    notifications.hide(id);
    try {
      await undo();
    } catch (error) {
      notifyError(error, 'That could not be undone');
    }
  }
  notifications.show({
    id,
    autoClose: more ? 15_000 : 10_000,
    message: (
      <span style={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: 12 }}>
        {more ? <Moving message={message} more={more} /> : <span>{message}</span>}
        <Button size="compact-sm" variant="default" onClick={takeBack}>
          {label}
        </Button>
      </span>
    ),
  });
}
