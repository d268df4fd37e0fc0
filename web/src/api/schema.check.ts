/**
 * Holds the hand-written shapes against what the server documents: a field that the dashboard reads and the server
 * does not have (any more) stops the type check here, and not on somebody's screen.
 */
import type { components } from './schema';
import type * as ours from './types';

type Theirs = components['schemas'];

/** The fields of `A` that `B` does not have. */
type Unknown<A, B> = Exclude<keyof A, keyof B>;

/** `true` when there are none; else the names, so that the error shows them. */
type Known<A, B> = [Unknown<A, B>] extends [never] ? true : Unknown<A, B>;

type Check<T extends true> = T;

/** One line for each shape; exported because what nobody uses may not stand. */
export type Checks = [
  Check<Known<ours.ActorRef, Theirs['Actor']>>,
  Check<Known<ours.User, Theirs['User']>>,
  Check<Known<ours.Workspace, Theirs['Workspace']>>,
  Check<Known<ours.ApiKey, Theirs['ApiKey']>>,
  Check<Known<ours.NewApiKey, Theirs['CreateKey']>>,
  Check<Known<ours.Prompt, Theirs['Prompt']>>,
  Check<Known<ours.PromptDetails, Theirs['Details']>>,
  Check<Known<ours.SavedPrompt, Theirs['Saved']>>,
  Check<Known<ours.Version, Theirs['Version']>>,
  Check<Known<ours.Draft, Theirs['Draft']>>,
  Check<Known<ours.DraftInput, Theirs['SaveDraft']>>,
  Check<Known<ours.PublishInput, Theirs['Publish']>>,
  Check<Known<ours.Published, Theirs['Published']>>,
  Check<Known<ours.Label, Theirs['Label']>>,
  Check<Known<ours.PromptLabel, Theirs['PromptLabel']>>,
  Check<Known<ours.LabelMove, Theirs['HistoryEntry']>>,
  Check<Known<ours.LabelMoved, Theirs['LabelSet']>>,
  Check<Known<ours.Facets, Theirs['Facets']>>,
  Check<Known<ours.PreviewInput, Theirs['PreviewRequest']>>,
  Check<Known<ours.ChangedEvent, Theirs['Changed']>>,
];
