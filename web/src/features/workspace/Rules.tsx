import { Switch } from '@mantine/core';
import { useState } from 'react';
import type { Workspace } from '~/api/types';
import { Section } from '~/features/account/Section';
import { notifyError } from '~/ui/notify';
import { useWorkspaceChanges } from './use-workspace';

/** How people work together here. */
export function Rules({ workspace, disabled }: { workspace: Workspace; disabled: boolean }) {
  const { change } = useWorkspaceChanges();
  const [busy, setBusy] = useState(false);

  async function set(require_change_comment: boolean) {
    setBusy(true);
    try {
      await change({ settings: { require_change_comment } });
    } catch (error) {
      notifyError(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Section title="Publishing">
      <Switch
        label="Ask for a reason"
        description="Whoever publishes or rolls back says in a sentence why."
        checked={workspace.settings.require_change_comment}
        disabled={disabled || busy}
        onChange={(event) => void set(event.currentTarget.checked)}
      />
    </Section>
  );
}
