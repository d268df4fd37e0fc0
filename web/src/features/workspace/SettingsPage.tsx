import { useMe, useRight } from '~/api/account';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { About } from './About';
import { Data } from './Data';
import { Rules } from './Rules';

/** What holds for the whole workspace. */
export function SettingsPage() {
  const { workspace } = useMe();
  const mayChange = useRight('admin');
  if (!workspace) return null;
  return (
    <Page width="reading">
      <PageHeader
        title="Workspace settings"
        description={mayChange ? undefined : 'Admins and owners can change what stands here.'}
      />
      <About key={workspace.id} workspace={workspace} disabled={!mayChange} />
      <Rules workspace={workspace} disabled={!mayChange} />
      <Data />
    </Page>
  );
}
