import type { ActorRef, Timestamp } from './types';

export type ImportState = 'reading' | 'waiting' | 'running' | 'checked' | 'done' | 'failed' | 'cancelled';
export type ImportFormat = 'auto' | 'xr2' | 'csv' | 'langfuse' | 'promptfoo' | 'markdown' | 'text' | 'zip';
export type OnConflict = 'update' | 'skip' | 'fail' | 'keep_edited';
export type RowStatus = 'pending' | 'created' | 'updated' | 'unchanged' | 'skipped' | 'failed';

/** How many rows have come, or would come, to what. */
export interface ImportCounts {
  created: number;
  updated: number;
  unchanged: number;
  skipped: number;
  failed: number;
}

/** A file on its way in. */
export interface ImportRun {
  id: string;
  state: ImportState;
  format: ImportFormat;
  /** What the file is called. */
  name: string;
  dry_run: boolean;
  all_or_nothing: boolean;
  on_conflict: OnConflict;
  /** Rows in the file. */
  total: number;
  /** Rows looked at. */
  done: number;
  counts: ImportCounts;
  message?: string | null;
  warnings: string[];
  created_by: ActorRef;
  created_at: Timestamp;
  updated_at: Timestamp;
}

/** What becomes, or became, of one row of the file. */
export interface ImportRow {
  number: number;
  /** Where it stands in the file. */
  place: string;
  /** `prompt`, `label`, `settings`; empty for what cannot be read. */
  kind: string;
  slug: string;
  title: string;
  status: RowStatus;
  message?: string | null;
}
