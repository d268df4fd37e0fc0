/**
 * Holds the hand-written shapes against what the server documents: a field that the dashboard reads and the
 * server does not have (any more), or has with another type, stops the type check here, and not on
 * somebody's screen.
 */
import type { components } from './schema';
import type * as ours from './types';

type Theirs = components['schemas'];

/** The fields of `A` that `B` does not have, or has with a type that does not fit. */
type Wrong<A, B> = {
  [Field in keyof A]-?: Field extends keyof B ? (A[Field] extends B[Field] ? never : Field) : Field;
}[keyof A];

/** `true` when there are none; else the names, so that the error shows them. */
type Fits<A, B> = [Wrong<A, B>] extends [never] ? true : Wrong<A, B>;

/** For shapes that hold free JSON or other shapes: the names alone. */
type Known<A, B> = [Exclude<keyof A, keyof B>] extends [never] ? true : Exclude<keyof A, keyof B>;

/** Free JSON in the document; only its name can be held. */
type Free = 'messages' | 'variables' | 'config' | 'metadata' | 'problems' | 'preferences';

type Check<T extends true> = T;

/** One line for each shape; exported because what nobody uses may not stand. */
export type Checks = [
  Check<Fits<ours.ActorRef, Theirs['Actor']>>,
  Check<Fits<Omit<ours.User, Free>, Theirs['User']>>,
  Check<Fits<ours.Workspace, Theirs['Workspace']>>,
  Check<Fits<ours.AuthStatus, Theirs['AuthStatus']>>,
  Check<Fits<ours.Session, Theirs['Session']>>,
  Check<Fits<ours.ApiKey, Theirs['ApiKey']>>,
  Check<Fits<ours.NewApiKey, Theirs['CreateKey']>>,
  Check<Fits<Omit<ours.Prompt, Free>, Theirs['Prompt']>>,
  Check<Known<ours.Prompt, Theirs['Prompt']>>,
  Check<Known<ours.PromptDetails, Theirs['Details']>>,
  Check<Known<ours.SavedPrompt, Theirs['Saved']>>,
  Check<Fits<Omit<ours.PromptInput, Free>, Theirs['UpdatePrompt']>>,
  Check<Fits<Omit<ours.PromptInput, Free | 'base_version'>, Theirs['CreatePrompt']>>,
  Check<Fits<Omit<ours.Version, Free>, Theirs['Version']>>,
  Check<Known<ours.Version, Theirs['Version']>>,
  Check<Fits<Omit<ours.Draft, Free>, Theirs['Draft']>>,
  Check<Known<ours.Draft, Theirs['Draft']>>,
  Check<Fits<Omit<ours.DraftInput, Free>, Theirs['SaveDraft']>>,
  Check<Fits<ours.PublishInput, Theirs['Publish']>>,
  Check<Known<ours.Published, Theirs['Published']>>,
  Check<Fits<ours.Label, Theirs['Label']>>,
  Check<Fits<ours.PromptLabel, Theirs['PromptLabel']>>,
  Check<Fits<ours.LabelMove, Theirs['HistoryEntry']>>,
  Check<Known<ours.LabelMoved, Theirs['LabelSet']>>,
  Check<Fits<ours.Facets, Theirs['Facets']>>,
  Check<Fits<ours.Include, Theirs['IncludedSnippet']>>,
  Check<Known<ours.PreviewInput, Theirs['PreviewRequest']>>,
  Check<Fits<ours.LastFetch, Theirs['LastFetch']>>,
  Check<Fits<ours.ClientCounts, Theirs['ClientCounts']>>,
  Check<Fits<ours.ClientInstance, Theirs['ClientInstance']>>,
  Check<Fits<ours.Clients, Theirs['Clients']>>,
  Check<Fits<Omit<ours.Member, 'permissions'>, Theirs['Member']>>,
  Check<Fits<ours.Invitation, Theirs['Invitation']>>,
  Check<Fits<ours.InvitationView, Theirs['OpenInvitation']>>,
  Check<Fits<ours.AffectedKey, Theirs['AffectedKey']>>,
  Check<Known<ours.Invited, Theirs['Invited']>>,
  Check<Fits<Omit<ours.ActivityItem, 'before' | 'after'>, Theirs['ActivityItem']>>,
  Check<Fits<ours.Onboarding, Theirs['Onboarding']>>,
  Check<Fits<ours.PreviewLink, Theirs['PreviewLink']>>,
  Check<Known<ours.SharedPrompt, Theirs['SharedPrompt']>>,
  Check<Fits<ours.UsagePoint, Theirs['UsagePoint']>>,
  Check<Fits<ours.PromptUsage, Theirs['PromptUsage']>>,
  Check<Known<ours.WorkspaceUsage, Theirs['UsageAnalytics']>>,
  Check<Fits<ours.ChangedEvent, Theirs['Changed']>>,
];
