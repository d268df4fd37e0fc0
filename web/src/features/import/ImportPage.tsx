import { IconEye } from '@tabler/icons-react';
import { useRole } from '~/api/account';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { Earlier } from './Earlier';
import { ImportForm } from './ImportForm';

/** The first step of an import, and the imports of before. */
export function ImportPage() {
  const mayWrite = useRole('editor');
  if (!mayWrite) {
    return (
      <Page>
        <PageHeader title="Import" />
        <EmptyState icon={IconEye} title="You may read here, not write">
          Ask an admin of this workspace to make you an editor.
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page width="reading">
      <PageHeader
        title="Import"
        description="Bring in what you have: an export of xr2, a table, Langfuse, promptfoo, Markdown or text, also packed as a zip. First you see what would happen; nothing changes before you say so."
      />
      <ImportForm />
      <Earlier />
    </Page>
  );
}
