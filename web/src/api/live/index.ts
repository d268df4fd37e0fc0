import type { QueryClient } from '@tanstack/react-query';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { urlFor } from '../client';
import type { ChangedEvent } from '../types';
import { Refresh } from './refresh';
import type { StreamMessage } from './sse';
import { keepStream, Position } from './stream';
import { type Lead, shareAmongTabs } from './tabs';

type News =
  | { kind: 'changed'; event: ChangedEvent }
  /** Something of a prompt that is not delivered, such as its description. */
  | { kind: 'edited'; slug: string }
  /** More has happened than is told: look at everything again. */
  | { kind: 'resync' }
  /** Nothing but how far the stream has been read. */
  | { kind: 'at' }
  /** The same, to a tab that has asked: it may have missed something. */
  | { kind: 'here' };

/** What the tab that listens tells the others; `done` is how far the stream has been read. */
type Message = News & { done: string | null };

function apply(message: News, refresh: Refresh): void {
  if (message.kind === 'at' || message.kind === 'here') return;
  if (message.kind === 'resync') return refresh.all();
  refresh.prompt(message.kind === 'edited' ? message.slug : message.event.slug);
}

/** What a message of the stream means to a page; null where it means nothing. */
function understand({ event, data }: StreamMessage, isFirst: boolean): News | null {
  if (event === 'changed') return { kind: 'changed', event: JSON.parse(data) as ChangedEvent };
  if (event === 'edited') {
    const { slug } = JSON.parse(data) as { slug: string };
    return { kind: 'edited', slug };
  }
  if (event === 'resync' || (event === 'hello' && isFirst)) return { kind: 'resync' };
  return event === 'mark' ? { kind: 'at' } : null;
}

/** Listens for all tabs, from where they are. */
function listen(workspace: string, from: string | null, say: (message: Message) => void): Lead<Message> {
  const position = new Position(from);
  // Whoever begins anew may have loaded what has changed since.
  let isFirst = from === null;
  const stream = keepStream(urlFor('/stream', { workspace }), position, (heard) => {
    const news = understand(heard, isFirst);
    isFirst &&= heard.event !== 'hello';
    if (news) say({ ...news, done: position.done });
  });
  const greeting = (): Message => ({ kind: 'here', done: position.done });
  return { stop: stream.stop, isConnected: stream.isConnected, greeting };
}

/** One stream of a workspace for all tabs of this browser; a tab that takes over goes on where the last one was. */
function follow(workspace: string, queryClient: QueryClient): () => void {
  let done: string | null = null;
  let knows = false;
  const refresh = new Refresh(queryClient, () => document.hidden);
  const look = () => refresh.look();
  document.addEventListener('visibilitychange', look);
  const hear = (message: Message) => {
    // What was loaded before this tab heard of anything, or while it slept, may be older than what it hears.
    const missed = !knows || (message.kind === 'here' && message.done !== done);
    knows = true;
    done = message.done ?? done;
    apply(missed ? { kind: 'resync' } : message, refresh);
  };
  const leave = shareAmongTabs(`xr2-live-${workspace}`, (say) => listen(workspace, done, say), hear);
  return () => {
    leave();
    document.removeEventListener('visibilitychange', look);
    refresh.stop();
  };
}

/** Keeps everything on the screen current while it is mounted: call it once, in the shell. */
export function useLive(workspace: string | null): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (!workspace) return;
    return follow(workspace, queryClient);
  }, [workspace, queryClient]);
}
