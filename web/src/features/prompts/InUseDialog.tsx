import { Button, Modal } from '@mantine/core';
import { RelativeTime } from '~/ui/RelativeTime';
import type { BinBlocked, PromptActions } from './actions';

interface Props {
  blocked: BinBlocked;
  actions: PromptActions;
  /** Called when the prompt went to the bin after all. */
  onBinned?: () => void;
}

/** Says who still uses a prompt before it goes to the bin, and lets it go all the same. */
export function InUseDialog({ blocked: { prompt, reasons }, actions, onBinned }: Props) {
  async function force() {
    actions.dismissBlocked();
    if (await actions.moveToBin(prompt, { force: true })) onBinned?.();
  }
  return (
    <Modal opened onClose={actions.dismissBlocked} size="lg" title={`“${prompt.title}” is in use`}>
      <ul style={{ margin: 0, paddingLeft: 20 }}>
        {reasons.map((reason) => (
          <li key={reason.kind === 'fetched' ? 'fetched' : `${reason.kind}-${reason.slug}`}>
            {reason.kind === 'fetched' ? (
              <>
                A client fetched it <RelativeTime time={reason.last_fetched_at} />. It would get “not found” from now on.
              </>
            ) : (
              <>
                The prompt <code>{reason.slug}</code> includes it.
              </>
            )}
          </li>
        ))}
      </ul>
      <p style={{ color: 'var(--xr-dimmed)', margin: '12px 0 0' }}>
        To hide it from the list while clients keep getting it, archive it instead. From the bin it can be restored.
      </p>
      <div style={{ display: 'flex', flexWrap: 'wrap', justifyContent: 'flex-end', gap: 8, marginTop: 24 }}>
        <Button variant="default" onClick={actions.dismissBlocked} data-autofocus>
          Keep it
        </Button>
        {!prompt.archived && (
          <Button
            variant="default"
            onClick={() => {
              actions.dismissBlocked();
              void actions.setArchived(prompt, true);
            }}
          >
            Archive instead
          </Button>
        )}
        <Button color="red" onClick={force}>
          Move to bin anyway
        </Button>
      </div>
    </Modal>
  );
}
