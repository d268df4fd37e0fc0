import { Checkbox } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Prompt } from '~/api/types';
import { StatusPill, Tag } from '~/ui/Pill';
import { RelativeTime } from '~/ui/RelativeTime';
import type { PromptActions } from './actions';
import { PromptMenu } from './PromptMenu';
import type { Selection } from './use-selection';
import classes from './PromptTable.module.css';

interface Props {
  prompt: Prompt;
  actions: PromptActions;
  selection: Selection;
  /** 1-based place among all rows, the header included. */
  rowIndex: number;
}

const shownTags = 3;

/** One prompt: which version is live, whether a draft waits, who touched it last, when it was last used. */
export function PromptRow({ prompt, actions, selection, rowIndex }: Props) {
  const ticked = selection.has(prompt.id);
  const extra = prompt.tags.length - shownTags;
  // A newer version was saved and waits to be published.
  const waits = prompt.live !== null && prompt.latest_version > prompt.live.version;
  return (
    <div role="row" aria-rowindex={rowIndex} className={classes.row} data-ticked={ticked || undefined} data-id={prompt.id}>
      <div role="cell" className={classes.tick}>
        <Checkbox
          size="xs"
          aria-label={`Tick ${prompt.title}`}
          checked={ticked}
          onChange={() => selection.toggle(prompt.id)}
        />
      </div>
      <div role="cell" className={classes.title}>
        <Link to="/prompts/$slug" params={{ slug: prompt.slug }} className={classes.link} data-row-link>
          {prompt.title}
        </Link>
        <span className={classes.slug}>{prompt.slug}</span>
      </div>
      <div role="cell" className={classes.live}>
        <span className={classes.pills}>
          {prompt.archived && <StatusPill status="archived" />}
          {prompt.live ? (
            <StatusPill status="live">Live v{prompt.live.version}</StatusPill>
          ) : (
            <StatusPill status="unpublished" />
          )}
          {prompt.has_draft ? (
            <StatusPill status="draft" />
          ) : (
            waits && <StatusPill status="draft">v{prompt.latest_version} is not live</StatusPill>
          )}
        </span>
        {prompt.live && (
          <span className={classes.quiet}>
            <RelativeTime time={prompt.live.since} /> by {prompt.live.by.name}
          </span>
        )}
      </div>
      <div role="cell" className={classes.changed}>
        <span className={classes.caption}>Changed </span>
        <RelativeTime time={prompt.updated_at} />
        <span className={classes.by}> by {prompt.updated_by.name}</span>
      </div>
      <div role="cell" className={classes.tags}>
        {prompt.category && <Tag>{prompt.category}</Tag>}
        {prompt.tags.slice(0, shownTags).map((tag) => (
          <Tag key={tag}>#{tag}</Tag>
        ))}
        {extra > 0 && <span className={classes.quiet}>+{extra}</span>}
      </div>
      <div role="cell" className={classes.used}>
        <span className={classes.caption}>Used </span>
        {prompt.last_fetched_at ? (
          <RelativeTime time={prompt.last_fetched_at} />
        ) : (
          <span className={classes.quiet}>never</span>
        )}
      </div>
      <div role="cell" className={classes.menu}>
        <PromptMenu prompt={prompt} actions={actions} />
      </div>
    </div>
  );
}
