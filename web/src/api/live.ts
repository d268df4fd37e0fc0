import type { QueryClient } from '@tanstack/react-query';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { urlFor } from './client';
import { keys } from './keys';
import type { ChangedEvent } from './types';

type Listener = (event: ChangedEvent) => void;
type Message =
  | { kind: 'changed'; event: ChangedEvent }
  | { kind: 'edited'; slug: string }
  | { kind: 'resync' };

const listeners = new Set<Listener>();

function handle(message: Message, queryClient: QueryClient): void {
  void queryClient.invalidateQueries({ queryKey: keys.promptLists });
  if (message.kind === 'resync') {
    void queryClient.invalidateQueries({ queryKey: ['prompt'] });
    return;
  }
  const slug = message.kind === 'edited' ? message.slug : message.event.slug;
  void queryClient.invalidateQueries({ queryKey: keys.prompt(slug) });
  if (message.kind === 'edited') return;
  for (const listener of listeners) listener(message.event);
}

function connect(workspace: string, deliver: (message: Message) => void): () => void {
  let source: EventSource | null = null;
  let timer: number | undefined;
  let failures = 0;

  const open = () => {
    source = new EventSource(urlFor('/stream', { workspace }));
    source.addEventListener('hello', () => {
      failures = 0;
      // What happened before the line stood, or while it was down, is not repeated: look at everything again.
      deliver({ kind: 'resync' });
    });
    source.addEventListener('changed', (event) => {
      deliver({ kind: 'changed', event: JSON.parse((event as MessageEvent<string>).data) as ChangedEvent });
    });
    source.addEventListener('edited', (event) => {
      const { slug } = JSON.parse((event as MessageEvent<string>).data) as { slug: string };
      deliver({ kind: 'edited', slug });
    });
    source.addEventListener('resync', () => deliver({ kind: 'resync' }));
    source.onerror = () => {
      // The browser gives up for good on some answers, such as a proxy's 502: begin again ourselves.
      if (source?.readyState !== EventSource.CLOSED) return;
      failures += 1;
      timer = window.setTimeout(open, Math.min(1000 * 2 ** failures, 30_000) * (0.75 + Math.random() / 2));
    };
  };
  open();
  return () => {
    window.clearTimeout(timer);
    source?.close();
  };
}

/**
 * Holds one stream for all tabs of this browser where it can, because browsers allow only six
 * connections to a plain-http host: the tab with the lock listens, and tells the others.
 */
function share(workspace: string, deliver: (message: Message) => void): () => void {
  if (!navigator.locks || typeof BroadcastChannel === 'undefined') return connect(workspace, deliver);
  const name = `xr2-live-${workspace}`;
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<Message>) => deliver(event.data);

  const stop = new AbortController();
  let release = () => {};
  let close = () => {};
  navigator.locks
    .request(name, { signal: stop.signal }, () => {
      close = connect(workspace, (message) => {
        deliver(message);
        channel.postMessage(message);
      });
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    })
    .catch(() => {
      // Stopped while waiting for its turn.
    });
  return () => {
    close();
    release();
    stop.abort();
    channel.close();
  };
}

/** Keeps everything on the screen current while it is mounted: call it once, in the shell. */
export function useLive(workspace: string | null): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (!workspace) return;
    return share(workspace, (message) => handle(message, queryClient));
  }, [workspace, queryClient]);
}

/** Hears of every change that delivery can see, as it happens. */
export function useLiveEvents(listener: Listener): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    const call: Listener = (event) => latest.current(event);
    listeners.add(call);
    return () => void listeners.delete(call);
  }, []);
}
