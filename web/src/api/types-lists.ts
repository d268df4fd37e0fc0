import type { Prompt } from './types';

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
