import { Outlet } from '@tanstack/react-router';
import { Page } from '~/ui/Page';

export function PromptPage() {
  return (
    <Page>
      <Outlet />
    </Page>
  );
}

export function EditTab() {
  return null;
}
