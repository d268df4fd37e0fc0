import { Button, Skeleton } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { promptClientsQuery } from '~/api/clients';
import type { LastFetch } from '~/api/types';
import { InstanceRow, Instances } from '~/features/clients/InstanceRow';
import { Reach } from '~/features/clients/Reach';
import { explain, RelativeTime } from '~/ui';
import { usePrompt } from '../PromptContext';
import { promptLabelsQuery } from '../queries';
import classes from './WhoHasIt.module.css';

/** Which running programs have which version of this prompt, label by label, and who fetched it last. */
export function WhoHasIt() {
  const { slug, details } = usePrompt();
  const { data: labels } = useQuery(promptLabelsQuery(slug));
  const named = Object.keys(details.labels).filter((name) => name !== 'latest' || fetchOf(details.fetches, name));
  named.sort((a, b) => Number(b === 'production') - Number(a === 'production') || a.localeCompare(b));
  const byNumber = details.fetches.filter((fetch) => fetch.version !== null);
  return (
    <section className={classes.section} aria-labelledby="who-has-it">
      <h2 id="who-has-it">Who has it</h2>
      {named.length === 0 && (
        <p className={classes.note}>No label points at it, so no program can get it yet. Publish it first.</p>
      )}
      {named.map((label) => (
        <OfLabel
          key={`${slug} ${label}`}
          label={label}
          version={details.labels[label] ?? details.latest_version}
          movedAt={labels?.find((one) => one.label === label)?.moved_at ?? details.live?.since ?? null}
          fetch={fetchOf(details.fetches, label)}
        />
      ))}
      {byNumber.length > 0 && (
        <div className={classes.label}>
          <h3>Asked for by number</h3>
          <ul className={classes.list}>
            {byNumber.map((fetch) => (
              <li key={fetch.version}>
                <strong>v{fetch.version}</strong> <Fetched fetch={fetch} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {details.included_by.length > 0 && (
        <p className={classes.note}>
          It is also delivered inside {words(details.included_by)}. Whether clients have what is published here is counted
          there.
        </p>
      )}
    </section>
  );
}

const fetchOf = (fetches: LastFetch[], label: string) => fetches.find((fetch) => fetch.label === label);

function words(slugs: string[]): string {
  const named = slugs.slice(0, 3).join(', ');
  return slugs.length > 3 ? `${named} and ${slugs.length - 3} others` : named;
}

interface LabelProps {
  label: string;
  version: number;
  movedAt: string | null;
  fetch: LastFetch | undefined;
}

const SHOWN = 8;
const LISTED = 200;

function OfLabel({ label, version, movedAt, fetch }: LabelProps) {
  const { slug } = usePrompt();
  const [all, setAll] = useState(false);
  const query = useQuery({
    ...promptClientsQuery(slug, label, movedAt, all ? LISTED : SHOWN),
    // What is listed stays while more is on its way.
    placeholderData: keepPreviousData,
  });
  const { data } = query;
  const listed = data?.instances ?? [];
  const more = data ? Math.min(data.counts.total, LISTED) - SHOWN : 0;
  return (
    <div className={classes.label} data-label={label}>
      <h3>
        {label} <span className={classes.version}>v{version}</span>
      </h3>
      <p className={classes.facts}>
        <span role="status">
          {data && <Reach clients={data} movedAt={movedAt} />}
          {query.isPending && <Skeleton height={14} width={160} />}
          {query.isError && !data && explain(query.error).text}
        </span>
        <Fetched fetch={fetch} />
      </p>
      {data?.counts.total === 0 && (
        <p className={classes.note}>
          A program with the Python, TypeScript or Rust SDK appears here seconds after it has read this prompt. Calls over
          plain HTTP always get the live text and are not counted.
        </p>
      )}
      {listed.length > 0 && (
        <Instances label={`Clients that serve ${label}`}>
          {listed.map((one) => (
            <InstanceRow
              key={one.instance}
              instance={one}
              serves={one.serving.map((serving) => (
                <span key={serving.label}>
                  <strong>v{serving.version}</strong>
                  {serving.since && (
                    <>
                      , got it <RelativeTime time={serving.since} />
                    </>
                  )}
                </span>
              ))}
            />
          ))}
        </Instances>
      )}
      {more > 0 && !all && (
        <Button variant="subtle" size="compact-sm" mt="xs" onClick={() => setAll(true)}>
          Show {more.toLocaleString()} more
        </Button>
      )}
      {all && data && !query.isPlaceholderData && data.counts.total > listed.length && (
        <p className={classes.note}>
          {listed.length} of {data.counts.total.toLocaleString()} are listed, those that are behind first.
        </p>
      )}
    </div>
  );
}

/** When it was last read, by which key: by a call over HTTP, or from the memory of an SDK. */
function Fetched({ fetch }: { fetch: LastFetch | undefined }) {
  if (!fetch) return <span className={classes.quiet}>Never fetched</span>;
  return (
    <span className={classes.quiet}>
      Last fetched <RelativeTime time={fetch.last_fetched_at} />{' '}
      {fetch.key ? <>with the key {fetch.key.name}</> : 'with a key that is gone'}
    </span>
  );
}
