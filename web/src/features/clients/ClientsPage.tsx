import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { IconPlugConnected, IconSearch, IconSearchOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { clientsQuery } from '~/api/clients';
import type { ClientInstance, Clients } from '~/api/types';
import { EmptyState, ErrorState, Page, PageHeader } from '~/ui';
import { RowsSkeleton } from '~/ui/Rows';
import classes from './ClientsPage.module.css';
import { type ClientsSearch, filterClients, type Which } from './filter';
import { InstanceRow, Instances } from './InstanceRow';
import { behindWords } from './reach';

/** Every running program that keeps prompts in its memory, and whether it has the latest. */
export function ClientsPage() {
  const { q } = useSearch({ from: '/app/clients' });
  const query = useQuery(clientsQuery(q !== undefined));
  return (
    <Page>
      <PageHeader
        title="Clients"
        description="Running programs that keep your prompts in memory with an SDK, as they report themselves. Programs that call over plain HTTP get the live text with every call and are not listed."
      />
      {query.isPending && <RowsSkeleton rows={4} />}
      {query.isError && !query.data && <ErrorState error={query.error} onRetry={() => void query.refetch()} />}
      {query.data?.counts.total === 0 && <NobodyThere />}
      {query.data && query.data.counts.total > 0 && <Known clients={query.data} />}
    </Page>
  );
}

function NobodyThere() {
  return (
    <EmptyState
      icon={IconPlugConnected}
      title="No client is connected"
      action={
        <Button component={Link} to="/prompts" variant="default">
          Choose a prompt
        </Button>
      }
    >
      A program with the Python, TypeScript or Rust SDK appears here seconds after it has read its first prompt, and says
      which version it has. The code for it stands on every prompt, under <strong>Use it</strong>.
    </EmptyState>
  );
}

function Known({ clients }: { clients: Clients }) {
  const search = useSearch({ from: '/app/clients' });
  const navigate = useNavigate({ from: '/clients' });
  const { counts, instances, revision } = clients;
  const change = (next: ClientsSearch) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const found = filterClients(instances, search);
  return (
    <>
      <div className={classes.bar}>
        <TextInput
          type="search"
          className={classes.search}
          aria-label="Search clients"
          placeholder="Search clients, keys and prompts"
          leftSection={<IconSearch size={16} aria-hidden />}
          value={search.q ?? ''}
          onChange={(event) => change({ q: event.currentTarget.value || undefined })}
        />
        <SegmentedControl
          aria-label="Which clients"
          value={search.which ?? 'all'}
          onChange={(value) => change({ which: (value as Which) === 'behind' ? 'behind' : undefined })}
          data={[
            { value: 'all', label: 'All' },
            { value: 'behind', label: 'Behind or silent' },
          ]}
        />
        <span className={classes.count} role="status">
          {counts.total.toLocaleString()} {counts.total === 1 ? 'client' : 'clients'} · {behindWords(counts)} · revision{' '}
          {revision.toLocaleString()}
        </span>
      </div>
      {instances.length < counts.total && (
        <p className={classes.note}>
          {instances.length.toLocaleString()} of them are {search.q ? 'searched' : 'listed'}, those that are behind first.
          {search.q && ' What is not found may be among the others.'}
        </p>
      )}
      {found.length > 0 ? (
        <Instances label="Clients">
          {found.map((one) => (
            <InstanceRow key={one.instance} instance={one} serves={<Serves instance={one} />} />
          ))}
        </Instances>
      ) : (
        <EmptyState
          icon={IconSearchOff}
          title={search.which && !search.q ? 'Every client is up to date' : 'Nothing matches'}
          action={
            <Button variant="default" onClick={() => change({ q: undefined, which: undefined })}>
              Show all clients
            </Button>
          }
        />
      )}
    </>
  );
}

const SHOWN = 6;

/** What a client has read and serves; of many prompts the first few. */
function Serves({ instance: { serving } }: { instance: ClientInstance }) {
  if (serving.length === 0) return <span className={classes.quiet}>Nothing read yet</span>;
  return (
    <ul className={classes.serves}>
      {serving.slice(0, SHOWN).map((one) => (
        <li key={`${one.prompt} ${one.label}`}>
          {one.slug ? (
            <Link to="/prompts/$slug/use" params={{ slug: one.slug }}>
              {one.slug}
            </Link>
          ) : (
            <span className={classes.quiet}>A prompt that is gone</span>
          )}{' '}
          v{one.version}
          {one.label !== 'production' && <span className={classes.quiet}> {one.label}</span>}
        </li>
      ))}
      {serving.length > SHOWN && <li className={classes.quiet}>and {serving.length - SHOWN} more</li>}
    </ul>
  );
}
