import { Button } from '@mantine/core';
import { IconMap2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '~/ui/EmptyState';
import { usePageTitle } from '~/ui/page-title';

export function NotFoundPage() {
  usePageTitle('Page not found');
  return (
    <EmptyState
      as="h1"
      icon={IconMap2}
      title="This page does not exist"
      action={
        <Button component={Link} to="/prompts">
          Go to your prompts
        </Button>
      }
    >
      The address may have a typing mistake, or what it named has been moved or deleted.
    </EmptyState>
  );
}

/** The same outside the shell, for addresses that name nothing at all. */
export function LostPage() {
  return (
    <main>
      <NotFoundPage />
    </main>
  );
}
