import { ActionIcon, Checkbox } from '@mantine/core';
import { IconStar, IconStarFilled } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { ListedPrompt } from '~/api/types';
import { StatusPill, Tag } from '~/ui/Pill';
import { RelativeTime } from '~/ui/RelativeTime';
import type { PromptActions } from './actions';
import { fromFirstMatch } from './highlight';
import { Highlighted } from './Highlighted';
import { PromptMenu } from './PromptMenu';
import classes from './PromptTable.module.css';

interface Props {
  prompt: ListedPrompt;
  actions: PromptActions;
  ticked: boolean;
  onTick: (prompt: ListedPrompt, withShift: boolean) => void;
  onDrag: (event: React.DragEvent, prompt: ListedPrompt) => void;
  onDragEnd: () => void;
  /** 1-based place among all rows, the header included. */
  rowIndex: number;
}

const shownTags = 3;

/** One prompt: what it begins with, which version is live, who touched it last, and how much it is used. */
export const PromptRow = memo(function PromptRow({ prompt, actions, ticked, onTick, onDrag, onDragEnd, rowIndex }: Props) {
  const extra = prompt.tags.length - shownTags;
  // A newer version was saved and waits to be published.
  const waits = prompt.live !== null && prompt.latest_version > prompt.live.version;
  return (
    <div
      role="row"
      aria-rowindex={rowIndex}
      className={classes.row}
      data-ticked={ticked || undefined}
      data-id={prompt.id}
      draggable={prompt.can.edit}
      onDragStart={(event) => onDrag(event, prompt)}
      onDragEnd={onDragEnd}
    >
      <div role="cell" className={classes.tick}>
        <Checkbox
          size="xs"
          aria-label={`Tick ${prompt.title}`}
          checked={ticked}
          onChange={(event) => onTick(prompt, (event.nativeEvent as MouseEvent).shiftKey ?? false)}
        />
      </div>
      <div role="cell" className={classes.title}>
        <Link to="/prompts/$slug" params={{ slug: prompt.slug }} className={classes.link} draggable={false} data-row-link>
          <Highlighted text={prompt.title} segments={prompt.highlight?.title} />
        </Link>
        <span className={classes.about}>
          <span className={classes.slug}>{prompt.slug}</span>
          <About prompt={prompt} />
        </span>
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
            <RelativeTime time={prompt.live.since} plain /> by {prompt.live.by.name}
          </span>
        )}
      </div>
      <div role="cell" className={classes.changed}>
        <span className={classes.caption}>Changed </span>
        <RelativeTime time={prompt.updated_at} plain />
        <span className={classes.by}> by {prompt.updated_by.name}</span>
      </div>
      <div role="cell" className={classes.tags}>
        {prompt.category && <Tag>{prompt.category}</Tag>}
        {prompt.tags.slice(0, shownTags).map((tag) => (
          <Tag key={tag}>#{tag}</Tag>
        ))}
        {extra > 0 && <span className={classes.quiet}>+{extra}</span>}
      </div>
      <Used prompt={prompt} />
      <div role="cell" className={classes.menu}>
        <ActionIcon
          variant="subtle"
          color="gray"
          className={classes.star}
          aria-pressed={prompt.favourite}
          aria-label={`${prompt.title} is a favourite`}
          onClick={() => actions.setFavourite(prompt, !prompt.favourite)}
        >
          {prompt.favourite ? <IconStarFilled size={16} aria-hidden /> : <IconStar size={16} aria-hidden />}
        </ActionIcon>
        <PromptMenu prompt={prompt} actions={actions} />
      </div>
    </div>
  );
});

/** Where the search found its words; else what it is for, or how it begins. */
function About({ prompt: { highlight, description, excerpt } }: { prompt: ListedPrompt }) {
  const found = highlight?.content ?? highlight?.description;
  const text = description || excerpt;
  if (!found && !text) return null;
  return (
    <span className={classes.excerpt}>
      <Highlighted text={text} segments={found && fromFirstMatch(found)} />
    </span>
  );
}

function Used({ prompt: { calls_7d, last_fetched_at } }: { prompt: ListedPrompt }) {
  return (
    <div role="cell" className={classes.used}>
      <span className={calls_7d === 0 ? classes.quiet : classes.calls}>
        {calls_7d.toLocaleString()}
        <span className={classes.caption}> {calls_7d === 1 ? 'call' : 'calls'} in 7 days</span>
      </span>
      <span className={classes.by}>
        {last_fetched_at ? (
          <>
            used <RelativeTime time={last_fetched_at} plain />
          </>
        ) : (
          'never used'
        )}
      </span>
    </div>
  );
}
