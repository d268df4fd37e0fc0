import { Button, Modal } from '@mantine/core';
import { useUnsavedWarning } from './unsaved';

interface Props {
  /** True while there is something that leaving would lose. */
  unsaved: boolean | (() => boolean);
  /** What would be lost: "The prompt you began is not saved yet." */
  message: string;
  /** Called when somebody chooses to lose it. */
  onLeave?: () => void;
}

/** Stands between unsaved work and a way out of the page. */
export function UnsavedDialog({ unsaved, message, onLeave }: Props) {
  const { blocked, leave, stay } = useUnsavedWarning(unsaved);
  return (
    <Modal opened={blocked} onClose={stay} title="Leave without saving?">
      <div style={{ color: 'var(--xr-dimmed)' }}>{message}</div>
      <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8, marginTop: 24 }}>
        <Button
          variant="default"
          onClick={() => {
            onLeave?.();
            leave();
          }}
        >
          Leave
        </Button>
        <Button onClick={stay} data-autofocus>
          Keep editing
        </Button>
      </div>
    </Modal>
  );
}
