import { Button, Modal } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { notifyError } from './notify';

interface Props {
  opened: boolean;
  onClose: () => void;
  /** Names what will go: "Delete “Welcome message” for good?" */
  title: string;
  children: ReactNode;
  /** The verb on the red button. */
  confirm: string;
  onConfirm: () => Promise<unknown>;
}

/** A question for steps that cannot be taken back. Everything else offers undo instead. */
export function ConfirmDialog({ opened, onClose, title, children, confirm, onConfirm }: Props) {
  const [busy, setBusy] = useState(false);
  async function go() {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      notifyError(error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      <div style={{ color: 'var(--xr-dimmed)' }}>{children}</div>
      <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8, marginTop: 24 }}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button color="red" onClick={go} loading={busy}>
          {confirm}
        </Button>
      </div>
    </Modal>
  );
}
