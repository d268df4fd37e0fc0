import type { Timestamp } from './types';

/** How far a publish has come. */
export interface ClientCounts {
  total: number;
  /** Those that have the latest. */
  current: number;
  /** Those that have not, and have not been heard of for `clients.silent_after`. */
  silent: number;
}

/** What a running program serves from its memory. */
export interface ClientServing {
  prompt: string;
  slug: string | null;
  label: string;
  version: number;
  since: Timestamp | null;
}

/** A running program with an SDK. */
export interface ClientInstance {
  instance: string;
  sdk: string;
  key: { id: string; name: string } | null;
  revision: number;
  current: boolean;
  silent: boolean;
  last_seen: Timestamp;
  first_seen: Timestamp;
  serving: ClientServing[];
  /** Kept up to date by a stream; by polling otherwise. */
  stream: boolean;
}

export interface Clients {
  revision: number;
  /** The server's clock, which is that of all times here. */
  at: Timestamp;
  instances: ClientInstance[];
  counts: ClientCounts;
}
