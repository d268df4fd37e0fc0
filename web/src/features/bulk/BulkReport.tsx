import { lazy, Suspense } from 'react';
import type { Bulk } from './use-bulk';

const BulkReportDialog = lazy(() => import('./BulkReportDialog'));

/** The report of the last action, where not all prompts could follow it. */
export function BulkReport({ bulk }: { bulk: Bulk }) {
  if (!bulk.report) return null;
  return (
    <Suspense>
      <BulkReportDialog
        report={bulk.report}
        onClose={bulk.closeReport}
        onForce={(prompts) => {
          bulk.closeReport();
          void bulk.run({ action: 'delete', force: true }, prompts);
        }}
      />
    </Suspense>
  );
}
