import type { ActorRef, MessageOrPlaceholder, PromptType, Syntax, Timestamp, Variable } from './types';

/** A link by which somebody without an account reads one prompt. */
export interface PreviewLink {
  id: string;
  /** Null for the draft, as it stands when the link is opened. */
  version: number | null;
  draft: boolean;
  note: string | null;
  expired: boolean;
  created_by: ActorRef;
  created_at: Timestamp;
  expires_at: Timestamp;
}

/** A link in the one answer that carries its address. */
export interface NewPreviewLink extends PreviewLink {
  url: string;
}

/** What whoever holds the link sees. */
export interface SharedPrompt {
  title: string;
  type: PromptType;
  syntax: Syntax;
  content?: string | null;
  messages?: MessageOrPlaceholder[] | null;
  variables: Variable[];
  /** With the samples filled in. */
  sample: { content?: string | null; messages?: MessageOrPlaceholder[] | null; missing: string[] } | null;
  version: number | null;
  shared_by: string;
  note: string | null;
  /** When the version was made or the draft last saved. */
  updated_at: Timestamp;
  expires_at: Timestamp;
}
