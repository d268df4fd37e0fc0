import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { urlFor } from '~/api/client';
import { Section } from '~/features/account/Section';
import classes from './Workspace.module.css';

/** The way out for everything that the workspace holds. */
export function Data() {
  return (
    <Section title="Export" description="Your prompts are yours: take them out whenever you like.">
      <div className={classes.left}>
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
