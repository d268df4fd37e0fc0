import type { ActorRef, Timestamp } from './types';

/** Something that happened. */
export interface ActivityItem {
  id: string;
  /** Such as `prompt.published`. */
  type: string;
  at: Timestamp;
  actor: ActorRef;
  resource: { type: string; id?: string | null; name?: string | null };
  before?: Record<string, unknown> | null;
  after?: Record<string, unknown> | null;
}

/** How far the workspace has come. */
export interface Onboarding {
  has_prompt: boolean;
  has_published: boolean;
  has_key: boolean;
  has_call: boolean;
}
