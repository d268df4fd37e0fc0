import type { ActorRef, Prompt, Timestamp } from './types';

/** A folder of the workspace. The list of all of them is the tree, in the order of their paths. */
export interface Folder {
  id: string;
  name: string;
  parent_folder_id: string | null;
  /** The names from the top down to this one. */
  path: string[];
  /** Directly in it, without those of the folders inside. */
  prompts: number;
  created_at: Timestamp;
  updated_at: Timestamp;
}

/** Filters that somebody gave a name. */
export interface View {
  id: string;
  name: string;
  query: Record<string, unknown>;
  shared: boolean;
  /** Whether the caller may change and delete it. */
  can_edit: boolean;
  created_by: ActorRef;
  created_at: Timestamp;
  updated_at: Timestamp;
}

/** A piece of a text that was searched. Never HTML. */
export interface Segment {
  text: string;
  match: boolean;
}

export interface Highlight {
  title?: Segment[];
  description?: Segment[];
  content?: Segment[];
}

/** A prompt as the list shows it. */
export interface ListedPrompt extends Prompt {
  /** How often it was called within seven days. */
  calls_7d: number;
  /** Where a search found its words. */
  highlight?: Highlight;
}

export type BulkAction =
  | { action: 'tag'; tags: string[] }
  | { action: 'untag'; tags: string[] }
  | { action: 'set_category'; category: string | null }
  | { action: 'add_to_folder'; folder: string }
  | { action: 'move_to_folder'; folder: string }
  | { action: 'remove_from_folder'; folder: string }
  | { action: 'archive' }
  | { action: 'unarchive' }
  | { action: 'label'; label: string; version: number | 'latest' }
  | { action: 'unlabel'; label: string; force?: boolean }
  | { action: 'delete'; force?: boolean }
  | { action: 'restore' }
  | { action: 'purge' }
  | { action: 'duplicate' };

/** How it went with one of many. */
export interface BulkItem {
  prompt: string;
  slug?: string;
  status: 'done' | 'unchanged' | 'failed';
  /** The new prompt, after `duplicate`. */
  copy?: { id: string; slug: string };
  error?: { code: string; message: string };
}

export interface BulkOutcome {
  results: BulkItem[];
  done: number;
  unchanged: number;
  failed: number;
}
