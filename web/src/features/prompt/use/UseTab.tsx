import { NativeSelect, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { authStatusQuery, useRole } from '~/api/account';
import type { PromptBody } from '~/api/types';
import { CopyButton } from '~/ui';
import { discover } from '~/features/templates/scan';
import { contractQuery } from '../contract-query';
import { bodyOfVersion, textsOf, toEdit } from '../model/body';
import { INSTALL, snippet, SNIPPET_NAMES, type SnippetKind } from '../model/snippets';
import { usePrompt } from '../PromptContext';
import { CallWatch } from './CallWatch';
import classes from './UseTab.module.css';
import { WhoHasIt } from './WhoHasIt';

const kinds: SnippetKind[] = ['curl', 'python', 'typescript', 'http'];

/** How a program gets this prompt: code that works when pasted. */
export function UseTab() {
  const { details } = usePrompt();
  const [kind, setKind] = useState<SnippetKind>('curl');
  const [label, setLabel] = useState('production');
  const { data: status } = useQuery(authStatusQuery);
  const isAdmin = useRole('admin');

  const body = useMemo<PromptBody | null>(() => {
    const source = details.live_version ?? details.version;
    return source ? bodyOfVersion(source) : null;
  }, [details.live_version, details.version]);
  const contract = useQuery(contractQuery(body));
  const variables = contract.data?.variables ?? foundHere(body);

  const code = snippet(kind, {
    origin: status?.public_url ?? window.location.origin,
    slug: details.slug,
    type: details.type,
    variables,
    label,
  });
  const install = INSTALL[kind];
  const labels = Object.keys(details.labels).filter((name) => name !== 'latest');
  if (!labels.includes('production')) labels.unshift('production');
  // Once programs use it, who has what is asked for more often than how to begin.
  const [inUse] = useState(details.last_fetched_at !== null);

  return (
    <div className={classes.tab}>
      {inUse && <WhoHasIt />}
      <div className={classes.intro}>
        <h2>Use it in your program</h2>
        <p>
          A call gets the live text, filled in with your values. When somebody publishes, the next call gets the new
          text: no deploy.
        </p>
      </div>

      {!details.live && label === 'production' && (
        <p className={classes.warning} role="note">
          Not published yet: this call answers “not found” until you publish.
        </p>
      )}

      <ol className={classes.steps}>
        <li>
          <h3>Get an API key</h3>
          <p>
            {isAdmin ? (
              <>
                <Link to="/api-keys">Make a key</Link> and set it as
              </>
            ) : (
              <>Ask an admin of the workspace for a key and set it as</>
            )}{' '}
            <code>XR2_API_KEY</code> in your environment.
          </p>
        </li>
        <li>
          <h3>Call it</h3>
          <div className={classes.choices}>
            <SegmentedControl
              size="xs"
              aria-label="Language"
              value={kind}
              onChange={(value) => setKind(value as SnippetKind)}
              data={kinds.map((value) => ({ value, label: SNIPPET_NAMES[value] }))}
            />
            <label className={classes.label}>
              Label
              <NativeSelect
                size="xs"
                value={label}
                onChange={(event) => setLabel(event.currentTarget.value)}
                data={labels}
              />
            </label>
          </div>
          {install && <Code text={install} label="Copy the install line" />}
          <Code text={code} label="Copy the code" />
        </li>
        <li>
          <h3>See it arrive</h3>
          <CallWatch />
        </li>
      </ol>
      {!inUse && (
        <div className={classes.after}>
          <WhoHasIt />
        </div>
      )}
    </div>
  );
}

function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className={classes.code}>
      <pre tabIndex={0}>{text}</pre>
      <div className={classes.copy}>
        <CopyButton value={text} label={label} />
      </div>
    </div>
  );
}

/** Until the server has answered, what the text itself tells. */
function foundHere(body: PromptBody | null) {
  if (!body) return [];
  const names = new Set(textsOf(toEdit(body)).flatMap((text) => discover(text, body.syntax)));
  for (const variable of body.variables) names.delete(variable.name);
  return [...body.variables, ...[...names].map((name) => ({ name, type: 'string' as const, required: false }))];
}
