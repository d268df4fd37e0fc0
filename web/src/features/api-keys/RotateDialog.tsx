import { Button, Modal, Radio } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { ApiKey, ApiKeyWithSecret } from '~/api/types';
import { FormProblem } from '~/ui/FormProblem';
import classes from './dialogs.module.css';
import { KeyShown } from './KeyShown';
import { maskedKey } from './words';

const overlaps = [
  { value: '3600', label: 'For an hour' },
  { value: '86400', label: 'For a day', description: 'Enough to restart most programs with the new one.' },
  { value: '604800', label: 'For a week' },
  { value: '0', label: 'Not at all', description: 'For a key that somebody else may have seen.' },
];

/** Makes a new key in place of an old one, which goes on working for a while. */
export default function RotateDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const queryClient = useQueryClient();
  const [overlap, setOverlap] = useState('86400');
  const [made, setMade] = useState<ApiKeyWithSecret | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);

  async function rotate() {
    setBusy(true);
    setProblem(null);
    try {
      setMade(
        await api.post<ApiKeyWithSecret>(path`/api-keys/${apiKey.id}/rotate`, { overlap_seconds: Number(overlap) }),
      );
      void queryClient.invalidateQueries({ queryKey: keys.apiKeys });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={made ? 'Your new key' : `Rotate “${apiKey.name}”`}
      closeOnClickOutside={!made}
      closeOnEscape={!made}
    >
      {made ? (
        <KeyShown made={made} onDone={onClose} />
      ) : (
        <div className={classes.form}>
          <Radio.Group
            label={
              <>
                How long shall the old key <code>{maskedKey(apiKey)}</code> still work?
              </>
            }
            description="The new key has the same rights and limits."
            value={overlap}
            onChange={setOverlap}
          >
            <div className={classes.choices}>
              {overlaps.map((choice) => (
                <Radio key={choice.value} {...choice} />
              ))}
            </div>
          </Radio.Group>
          <FormProblem error={problem} />
          <div className={classes.buttons}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button onClick={rotate} loading={busy} data-autofocus>
              Make the new key
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}
