import { Button, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiError } from '~/api/client';
import type { SharedPrompt } from '~/api/types';
import { AuthLayout } from '~/features/auth/AuthLayout';
import { linkToken } from '~/features/auth/link-token';
import { Rendered } from '~/features/prompt/edit/Rendered';
import { ErrorState } from '~/ui/ErrorState';
import { usePageTitle } from '~/ui/page-title';
import { RelativeTime } from '~/ui/RelativeTime';
import { sharedPromptQuery } from './queries';
import classes from './SharedPage.module.css';

/** One prompt, for somebody who was given a link to it. */
export function SharedPage() {
  const [token] = useState(() => linkToken(window.location));
  const query = useQuery({ ...sharedPromptQuery(token ?? ''), enabled: token !== null });
  useNotIndexed();
  if (token === null || (query.error instanceof ApiError && [404, 410].includes(query.error.status))) {
    return (
      <AuthLayout
        title="This link works no more"
        lead="It has ended, was taken back, or was not copied as a whole. Ask whoever sent it for a new one."
      />
    );
  }
  if (query.isError) {
    return (
      <AuthLayout title="A shared prompt">
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      </AuthLayout>
    );
  }
  if (query.isPending) return <AuthLayout title="A shared prompt" lead="One moment…" />;
  return <Shared prompt={query.data} />;
}

/** Tells search engines to leave the page alone. */
function useNotIndexed(): void {
  useEffect(() => {
    const tag = document.createElement('meta');
    tag.name = 'robots';
    tag.content = 'noindex, nofollow';
    document.head.append(tag);
    return () => tag.remove();
  }, []);
}

type View = 'filled' | 'written';

function Shared({ prompt }: { prompt: SharedPrompt }) {
  usePageTitle(prompt.title);
  const [view, setView] = useState<View>(prompt.sample ? 'filled' : 'written');
  const shown = view === 'filled' && prompt.sample ? prompt.sample : { ...prompt, missing: [] };
  return (
    <main className={classes.page}>
      <header className={classes.header}>
        <div className={classes.brand}>
          <img src="/favicon.svg" width={22} height={22} alt="" />
          <span>xr2</span>
        </div>
        <h1 className={classes.title}>{prompt.title}</h1>
        <p className={classes.quiet}>
          {prompt.version === null ? 'A draft' : `Version ${prompt.version}`} of <RelativeTime time={prompt.updated_at} />,
          shared by {prompt.shared_by}. This link ends <RelativeTime time={prompt.expires_at} />.
        </p>
        {prompt.note && (
          <blockquote className={classes.note}>
            {prompt.note}
            <footer>{prompt.shared_by}</footer>
          </blockquote>
        )}
      </header>
      {prompt.sample && prompt.variables.length > 0 && (
        <SegmentedControl
          className={classes.switch}
          size="xs"
          aria-label="Show the text"
          value={view}
          onChange={(value) => setView(value as View)}
          data={[
            { value: 'filled', label: 'With examples filled in' },
            { value: 'written', label: 'As it is written' },
          ]}
        />
      )}
      <section className={classes.text} aria-label="The prompt">
        <Rendered preview={{ content: shown.content, messages: shown.messages, missing: shown.missing, syntax: prompt.syntax }} />
      </section>
      {prompt.variables.length > 0 && <Variables prompt={prompt} />}
      <footer className={classes.foot}>
        <Button component="a" href="/" variant="subtle" color="gray" size="xs">
          Sign in to xr2
        </Button>
      </footer>
    </main>
  );
}

function Variables({ prompt }: { prompt: SharedPrompt }) {
  return (
    <section aria-labelledby="variables">
      <h2 id="variables" className={classes.heading}>
        What is filled in
      </h2>
      <dl className={classes.variables}>
        {prompt.variables.map(({ name, description, required, sample }) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
              {required && <span className={classes.quiet}> always needed</span>}
            </dt>
            <dd className={classes.quiet}>
              {description}
              {sample !== undefined && sample !== null && <div>Such as: {typeof sample === 'string' ? sample : JSON.stringify(sample)}</div>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
