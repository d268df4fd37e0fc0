import { Button } from '@mantine/core';
import { useState } from 'react';
import { useRole } from '~/api/account';
import { notifyError } from '~/ui';
import { usePromptActions } from '../actions';
import { usePrompt } from '../PromptContext';
import { AboutForm } from './AboutForm';
import { BinDialog } from './BinDialog';
import classes from './SettingsTab.module.css';

/** What the prompt is called and where it belongs; and its retirement. */
export function SettingsTab() {
  const { details, readOnly } = usePrompt();
  const actions = usePromptActions();
  const mayWrite = useRole('editor');
  const [binning, setBinning] = useState(false);

  const archive = () => {
    const done = details.archived ? actions.setArchived(false) : actions.archive();
    void done.catch((error: unknown) => notifyError(error));
  };

  return (
    <div className={classes.tab}>
      {readOnly && !details.archived && (
        <p className={classes.readOnly} role="note">
          {readOnly}
        </p>
      )}
      <section aria-labelledby="about-title">
        <h2 id="about-title">About this prompt</h2>
        <AboutForm key={details.id} />
      </section>

      <section className={classes.section} aria-labelledby="archive-title">
        <h2 id="archive-title">Archive</h2>
        <div className={classes.row}>
          <p>
            {details.archived
              ? 'It is archived: still delivered, hidden from the list, read-only.'
              : 'An archived prompt is delivered as before, but hidden from the list and read-only.'}
          </p>
          <Button variant="default" disabled={!mayWrite} onClick={archive}>
            {details.archived ? 'Unarchive' : 'Archive'}
          </Button>
        </div>
      </section>

      <section className={classes.section} aria-labelledby="bin-title">
        <h2 id="bin-title">Bin</h2>
        <div className={classes.row}>
          <p>
            {details.can.delete
              ? 'In the bin it is no longer delivered. It can be brought back, with all its versions.'
              : 'Only admins can move a prompt to the bin.'}
          </p>
          <Button
            variant="default"
            color="red"
            c={details.can.delete ? 'var(--xr-danger)' : undefined}
            disabled={!details.can.delete}
            onClick={() => setBinning(true)}
          >
            Move to the bin…
          </Button>
        </div>
      </section>
      <BinDialog opened={binning} onClose={() => setBinning(false)} />
    </div>
  );
}
