/**
 * The shapes of the API as the dashboard uses them. Features import types from here and from nowhere
 * else, so that where they come from can change without touching a page.
 */

import type { WorkspaceSettings } from './types-people';

/** RFC 3339, UTC. */
export type Timestamp = string;

export type * from './types-activity';
export type * from './types-clients';
export type * from './types-lists';
export type * from './types-home';
export type * from './types-imports';
export type * from './types-people';
export type * from './types-shared';

export interface ActorRef {
  type: 'user' | 'key' | 'system';
  id: string | null;
  name: string;
}

// Accounts -----------------------------------------------------------------------------------------

export type Role = 'viewer' | 'editor' | 'admin' | 'owner';

export interface Preferences {
  color_scheme?: 'light' | 'dark' | 'auto';
  /** Whether the first steps were walked or put away. */
  beginning?: 'done';
  [key: string]: unknown;
}

export interface User {
  id: string;
  email: string;
  name: string;
  avatar_url: string | null;
  preferences: Preferences;
  is_operator: boolean;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface Workspace {
  id: string;
  slug: string;
  name: string;
  role: Role;
  /** What the caller may do, by role and permissions. */
  rights: string[];
  plan: string;
  settings: WorkspaceSettings;
  created_at: Timestamp;
}

export interface Me {
  kind: 'session' | 'api_key';
  user: User | null;
  workspaces: Workspace[];
}

export interface AuthStatus {
  setup_required: boolean;
  registration: 'open' | 'invite' | 'closed';
  demo: boolean;
  version: string;
  public_url: string | null;
}

export interface Session {
  id: string;
  created_at: Timestamp;
  last_used_at: Timestamp;
  expires_at: Timestamp;
  address: string | null;
  user_agent: string | null;
  current: boolean;
}

// API keys -----------------------------------------------------------------------------------------

export type Scope = 'deliver' | 'read' | 'write' | 'publish' | 'admin';
export type KeyKind = 'secret' | 'publishable';
export type KeyStatus = 'active' | 'expiring' | 'expired' | 'revoked';

export interface ApiKey {
  id: string;
  name: string;
  kind: KeyKind;
  prefix: string;
  last4: string;
  scopes: Scope[];
  /** Empty where the key is not confined. */
  labels: string[];
  allowed_ips: string[];
  allowed_origins: string[];
  expires_at: Timestamp | null;
  rate_limit_per_minute: number | null;
  created_by: ActorRef;
  created_at: Timestamp;
  last_used_at: Timestamp | null;
  revoked_at: Timestamp | null;
  status: KeyStatus;
  replaced_by: string | null;
}

/** An API key in the two answers that carry its secret: made and rotated. */
export interface ApiKeyWithSecret extends ApiKey {
  key: string;
}

export interface NewApiKey {
  name: string;
  kind?: KeyKind;
  scopes?: Scope[];
  labels?: string[];
  allowed_ips?: string[];
  allowed_origins?: string[];
  expires_at?: Timestamp;
  rate_limit_per_minute?: number;
}

// Prompts ------------------------------------------------------------------------------------------

export type PromptType = 'text' | 'chat';
export type Syntax = 'simple' | 'jinja' | 'none';
export type MessageRole = 'system' | 'developer' | 'user' | 'assistant' | 'tool';

export type MessagePart =
  | { type: 'text'; text: string }
  | { type: 'image'; url?: string; data?: string; media_type?: string };

export interface Message {
  role: MessageRole;
  content: string | MessagePart[];
  name?: string;
  tool_calls?: unknown[];
  tool_call_id?: string;
}

/** Stands for a list of messages that the caller passes as a value. */
export interface MessagePlaceholder {
  type: 'placeholder';
  name: string;
  required?: boolean;
}

export type MessageOrPlaceholder = Message | MessagePlaceholder;

export type VariableType = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'any';

export interface Variable {
  name: string;
  type: VariableType;
  required: boolean;
  default?: unknown;
  enum?: unknown[];
  min?: number;
  max?: number;
  min_length?: number;
  max_length?: number;
  pattern?: string;
  items?: unknown;
  description?: string;
  sample?: unknown;
}

/** A variable as the preview reports it: declared by the author, found in the text, or both. */
export interface PreviewVariable extends Variable {
  discovered: boolean;
  used: boolean;
}

export type ModelConfig = Record<string, unknown>;

/** What an author writes: the text or the messages with everything that belongs to them. */
export interface PromptBody {
  type: PromptType;
  syntax: Syntax;
  content?: string | null;
  messages?: MessageOrPlaceholder[] | null;
  variables: Variable[];
  config: ModelConfig | null;
}

export interface Version extends PromptBody {
  number: number;
  id: string;
  parent: number | null;
  branch: string;
  change_summary: string;
  created_by: ActorRef;
  created_at: Timestamp;
  labels: string[];
}

export interface LiveState {
  version: number;
  since: Timestamp;
  by: ActorRef;
}

export interface Prompt {
  id: string;
  slug: string;
  title: string;
  description: string | null;
  type: PromptType;
  syntax: Syntax;
  category: string | null;
  tags: string[];
  metadata: Record<string, unknown>;
  folder_ids: string[];
  /** Whether the caller has marked it. */
  favourite: boolean;
  archived: boolean;
  labels: Record<string, number>;
  latest_version: number;
  has_draft: boolean;
  created_at: Timestamp;
  created_by: ActorRef;
  updated_at: Timestamp;
  updated_by: ActorRef;
  live: LiveState | null;
  excerpt: string;
  last_fetched_at: Timestamp | null;
  /** By label or version, the latest first. */
  fetches: LastFetch[];
  deleted_at: Timestamp | null;
  deleted_by: ActorRef | null;
  can: { edit: boolean; publish: boolean; delete: boolean };
}

/** When a program last fetched a label or a version, and with which key. */
export interface LastFetch {
  /** Null for a version asked for by itself. */
  label: string | null;
  version: number | null;
  last_fetched_at: Timestamp;
  /** Null when the key is gone. */
  key: { id: string; name: string } | null;
}

/** A word that prompts are sorted by, and how many have it. */
export interface Facet {
  name: string;
  prompts: number;
}

export interface Facets {
  tags: Facet[];
  categories: Facet[];
}

export interface TemplateProblem {
  message: string;
  /** 1-based, in characters. */
  line: number;
  column: number;
  end_line?: number;
  end_column?: number;
  message_index?: number;
  part_index?: number;
}

export interface Draft extends PromptBody {
  branch: string;
  revision: number;
  base_version: number;
  updated_at: Timestamp;
  updated_by: ActorRef;
  problems: TemplateProblem[];
  /** True when a newer version than the one this draft began from exists. */
  stale: boolean;
}

export interface PromptDetails extends Prompt {
  version: Version | null;
  live_version: Version | null;
  draft: Draft | null;
  former_slugs: string[];
  included_by: string[];
}

export interface PublishBlocked {
  code: string;
  message: string;
}

/** The answer to making or changing a prompt. */
export interface SavedPrompt extends Prompt {
  version: Version | null;
  published: boolean;
  publish_blocked?: PublishBlocked;
}

export interface PromptInput {
  title?: string;
  slug?: string;
  type?: PromptType;
  syntax?: Syntax;
  content?: string;
  messages?: MessageOrPlaceholder[];
  variables?: Variable[];
  config?: ModelConfig;
  description?: string | null;
  category?: string | null;
  tags?: string[];
  folder_ids?: string[];
  metadata?: Record<string, unknown>;
  change_summary?: string;
  publish?: boolean;
  base_version?: number;
}

export interface DraftInput {
  content?: string;
  messages?: MessageOrPlaceholder[];
  type?: PromptType;
  syntax?: Syntax;
  variables?: Variable[];
  config?: ModelConfig;
  /** Absent says that there must be no draft yet. */
  revision?: number;
  base_version?: number;
}

export interface PublishInput {
  from: 'draft' | number;
  branch?: string;
  label?: string;
  comment?: string;
  base_version?: number;
  /** The draft as one saw it; what somebody saved since is not published unseen. */
  draft_revision?: number;
  change_summary?: string;
}

export interface Published {
  prompt: Prompt;
  version: Version;
  label: string;
  previous_version: number | null;
}

// Labels -------------------------------------------------------------------------------------------

/** A label of the workspace. */
export interface Label {
  name: string;
  color: string;
  description: string | null;
  protected: boolean;
  created_at: Timestamp;
  /** How many prompts carry it. */
  prompts: number;
}

/** Where a label stands on one prompt. */
export interface PromptLabel {
  label: string;
  version: number;
  moved_at: Timestamp;
  moved_by: ActorRef;
  comment: string | null;
  color: string;
  protected: boolean;
}

export interface LabelMove {
  label: string;
  action: 'published' | 'rolled_back' | 'moved' | 'removed' | 'restored';
  from_version: number | null;
  to_version: number | null;
  moved_by: ActorRef;
  moved_at: Timestamp;
  comment: string | null;
}

export interface LabelMoved {
  label: string;
  version: number;
  previous_version: number | null;
  prompt: Prompt;
}

// Diff ---------------------------------------------------------------------------------------------

export interface DiffSide {
  number: number | null;
  name: string;
}

export interface DiffSegment {
  text: string;
  changed: boolean;
}

export interface DiffLine {
  kind: 'equal' | 'insert' | 'delete';
  old: number | null;
  new: number | null;
  text: string;
  segments?: DiffSegment[];
}

export interface Diff {
  from: DiffSide;
  to: DiffSide;
  summary: string;
  stats: { added: number; removed: number; changed: number };
  lines: DiffLine[];
  variables: {
    added: string[];
    removed: string[];
    changed: { name: string; before: Variable; after: Variable }[];
  };
  config: { before: ModelConfig; after: ModelConfig } | null;
  type_changed: boolean;
  syntax: { before: Syntax; after: Syntax } | null;
}

// Rendering ----------------------------------------------------------------------------------------

export interface Include {
  slug: string;
  version: number;
}

export interface Delivery extends PromptBody {
  id: string;
  slug: string;
  title: string;
  rendered: boolean;
  missing?: string[];
  includes?: Include[];
  version: number;
  label: string | null;
  tags: string[];
  updated_at: Timestamp;
}

export interface PreviewProblem extends TemplateProblem {
  code: 'TEMPLATE_ERROR' | 'MISSING_VARIABLES' | 'INVALID_VARIABLES';
  variable?: string;
}

export interface PreviewInput {
  type?: PromptType;
  syntax?: Syntax;
  content?: string;
  messages?: MessageOrPlaceholder[];
  variables?: Variable[];
  values?: Record<string, unknown>;
  render?: boolean;
}

export interface Preview {
  syntax: Syntax;
  content?: string | null;
  messages?: MessageOrPlaceholder[] | null;
  rendered: boolean;
  variables: PreviewVariable[];
  missing: string[];
  problems: PreviewProblem[];
  includes: Include[];
  stats: { characters: number; words: number; lines: number };
}

// Live updates -------------------------------------------------------------------------------------

export interface ChangedEvent {
  slug: string;
  prompt_id: string;
  label: string;
  /** Null when the label was removed, or the prompt deleted or renamed away. */
  version: number | null;
  revision: number;
  at: Timestamp;
}

// Problems -----------------------------------------------------------------------------------------

export interface FieldProblem {
  field: string;
  code: string;
  message: string;
}

export interface VariableProblem {
  name: string;
  problem: string;
  expected: string;
}

export interface VersionConflict {
  base_version: number;
  current_version: number;
  changed_by: ActorRef;
  changed_at: Timestamp;
  change_summary: string | null;
}

export type InUseReason =
  | { kind: 'fetched'; last_fetched_at: Timestamp }
  | { kind: 'included_by'; slug: string }
  | { kind: 'label'; slug: string };
