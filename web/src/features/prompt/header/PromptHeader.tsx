import { Button, Tooltip } from '@mantine/core';
import { IconRocket } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { CopyButton, Kbd, Tag } from '~/ui';
import { usePrompt } from '../PromptContext';
import { useChanges } from '../use-changes';
import { MoreMenu } from './MoreMenu';
import classes from './PromptHeader.module.css';
import { PromptState } from './PromptState';
import { TitleField } from './TitleField';

/** Who the prompt is, what of it is live, and the one thing to do about it. */
export function PromptHeader() {
  const { details, noPublish, publish } = usePrompt();
  const { toPublish } = useChanges();
  const why = noPublish ?? (toPublish ? null : 'Everything here is live already. Change something and publish it.');

  return (
    <header className={classes.header}>
      <div className={classes.top}>
        <div className={classes.who}>
          <nav aria-label="Breadcrumb" className={classes.crumbs}>
            <Link to="/prompts">Prompts</Link>
            {details.category && (
              <>
                <span aria-hidden>/</span>
                <Link to="/prompts" search={{ category: details.category }}>
                  {details.category}
                </Link>
              </>
            )}
          </nav>
          <TitleField />
          <div className={classes.line}>
            <span className={classes.slug}>
              <input
                className={classes.slugText}
                aria-label="Slug"
                readOnly
                value={details.slug}
                size={details.slug.length}
                onFocus={(event) => event.currentTarget.select()}
              />
              <CopyButton value={details.slug} label="Copy slug" size="xs" />
            </span>
            <PromptState />
            {details.tags.length > 0 && (
              <span className={classes.tags}>
                {details.tags.slice(0, 4).map((tag) => (
                  <Tag key={tag}>{tag}</Tag>
                ))}
              </span>
            )}
          </div>
        </div>
        <div className={classes.actions}>
          <Tooltip
            label={
              why ?? (
                <>
                  Publish <Kbd keys="mod+enter" />
                </>
              )
            }
            maw={280}
          >
            <Button
              leftSection={<IconRocket size={16} aria-hidden />}
              onClick={why ? undefined : publish}
              data-disabled={why !== null || undefined}
              aria-disabled={why !== null || undefined}
              aria-describedby={why ? 'publish-why' : undefined}
            >
              Publish
            </Button>
          </Tooltip>
          {why && (
            <span id="publish-why" className={classes.hidden}>
              {why}
            </span>
          )}
          <MoreMenu />
        </div>
      </div>
      <PromptTabs slug={details.slug} />
    </header>
  );
}

function PromptTabs({ slug }: { slug: string }) {
  const tab = { className: classes.tab, activeProps: { 'aria-current': 'page' as const } };
  const params = { slug };
  return (
    <nav aria-label="Prompt" className={classes.tabs}>
      <Link to="/prompts/$slug" params={params} activeOptions={{ exact: true, includeSearch: false }} {...tab}>
        Edit
      </Link>
      <Link to="/prompts/$slug/history" params={params} activeOptions={{ includeSearch: false }} {...tab}>
        History
      </Link>
      <Link to="/prompts/$slug/use" params={params} {...tab}>
        Use it
      </Link>
      <Link to="/prompts/$slug/settings" params={params} {...tab}>
        Settings
      </Link>
    </nav>
  );
}
