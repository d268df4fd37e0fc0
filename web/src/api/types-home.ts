import type { Timestamp } from './types';

export interface UsageSummary {
  total_requests: number;
  total_errors: number;
}

/** What was delivered in an hour or on a day. */
export interface UsagePoint {
  at: Timestamp;
  requests: number;
  errors: number;
}

/** Deliveries of one prompt; without slug and title when it is gone. */
export interface PromptUsage extends UsageSummary {
  prompt_id: string;
  slug?: string | null;
  title?: string | null;
}

export interface WorkspaceUsage {
  period: string;
  from: Timestamp;
  summary: UsageSummary;
  prompts: PromptUsage[];
  time_series: UsagePoint[];
}
