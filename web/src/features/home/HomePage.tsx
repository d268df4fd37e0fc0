import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMe, useRole } from '~/api/account';
import { shortListQuery, usageQuery } from '~/api/home';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { Beginning } from './Beginning';
import classes from './Home.module.css';
import { Numbers } from './Numbers';
import { MostUsed, ShortList } from './ShortList';

const SHOWN = 6;
const recent = shortListQuery({ sort: '-updated_at', limit: SHOWN });
const drafts = shortListQuery({ sort: '-updated_at', has_draft: true, limit: 50 });

/** What has happened, what waits, and how to begin. */
export function HomePage() {
  const { workspace } = useMe();
  const mayWrite = useRole('editor');
  const changed = useQuery(recent);
  const waiting = useQuery(drafts);
  const usage = useQuery(usageQuery);
  const isNew = changed.data?.items.length === 0;

  return (
    <Page>
      <PageHeader
        title="Home"
        description={workspace ? `What goes on in “${workspace.name}”.` : undefined}
        actions={
          mayWrite && (
            <Button component={Link} to="/prompts/new" leftSection={<IconPlus size={16} aria-hidden />}>
              New Prompt
            </Button>
          )
        }
      />
      <Beginning />
      {!isNew && (
        <>
          <Numbers query={usage} />
          <div className={classes.columns}>
            <ShortList title="Recently changed" query={changed} shown={SHOWN} empty="Nothing yet." />
            <ShortList
              title="Drafts that are not live"
              query={waiting}
              // What the list holds is asked again: a cached entry may have been published since.
              keep={(prompt) => prompt.has_draft}
              shown={SHOWN}
              empty="No drafts: everything that was written is published."
            />
            <MostUsed usage={usage.data} shown={SHOWN} />
          </div>
        </>
      )}
    </Page>
  );
}
