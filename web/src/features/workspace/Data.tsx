import { Button } from '@mantine/core';
import { IconDownload, IconUpload } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useRole } from '~/api/account';
import { urlFor } from '~/api/client';
import { Section } from '~/features/account/Section';
import classes from './Workspace.module.css';

/** The ways in and out for everything that the workspace holds. */
export function Data() {
  const mayWrite = useRole('editor');
  return (
    <Section title="Import and export" description="Your prompts are yours: take them out whenever you like.">
      <div className={classes.left}>
        {mayWrite && (
          <Button component={Link} to="/import" variant="default" leftSection={<IconUpload size={16} aria-hidden />}>
            Import
          </Button>
        )}
        <Button component="a" href={urlFor('/export', { format: 'json' })} download variant="default" leftSection={<IconDownload size={16} aria-hidden />}>
          Export everything (JSON)
        </Button>
        <Button component="a" href={urlFor('/export', { format: 'csv' })} download variant="default" leftSection={<IconDownload size={16} aria-hidden />}>
          Export a table (CSV)
        </Button>
      </div>
      <p className={classes.quiet}>
        JSON has all prompts with their versions, drafts, labels and history. CSV has one line for each prompt with its live
        text, for a spreadsheet.
      </p>
    </Section>
  );
}
