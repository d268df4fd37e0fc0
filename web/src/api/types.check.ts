/**
 * Holds the dashboard's own types to what the server says of itself: each of their fields must be one the
 * server has, with a type that fits. When the API changes, `npm run typecheck` fails here first.
 */
import type { components } from './schema';
import type * as ours from './types';

type Server = components['schemas'];

/** The fields of `Ours` that the server does not know, or knows with another type. */
type Wrong<Ours, Theirs> = {
  [Field in keyof Ours]-?: Field extends keyof Theirs ? (Ours[Field] extends Theirs[Field] ? never : Field) : Field;
}[keyof Ours];

/** Fails to compile, naming the fields, unless there is nothing wrong. */
type Holds<Nothing extends never> = Nothing;

/** Written by people, and so free JSON in the document: the template engine's tests hold these. */
type Authored = 'messages' | 'variables' | 'config' | 'metadata' | 'problems' | 'preferences';

export type Checked = [
  Holds<Wrong<Omit<ours.User, Authored>, Server['User']>>,
  Holds<Wrong<ours.Workspace, Server['Workspace']>>,
  Holds<Wrong<ours.AuthStatus, Server['AuthStatus']>>,
  Holds<Wrong<ours.Session, Server['Session']>>,
  Holds<Wrong<ours.ApiKey, Server['ApiKey']>>,
  Holds<Wrong<ours.NewApiKey, Server['CreateKey']>>,
  Holds<Wrong<Omit<ours.Prompt, Authored>, Server['Prompt']>>,
  Holds<Wrong<Omit<ours.PromptInput, Authored | 'base_version'>, Server['CreatePrompt']>>,
  Holds<Wrong<Omit<ours.PromptInput, Authored>, Server['UpdatePrompt']>>,
  Holds<Wrong<Omit<ours.Version, Authored>, Server['Version']>>,
  Holds<Wrong<Omit<ours.Draft, Authored>, Server['Draft']>>,
  Holds<Wrong<Omit<ours.DraftInput, Authored>, Server['SaveDraft']>>,
  Holds<Wrong<ours.PublishInput, Server['Publish']>>,
  Holds<Wrong<Pick<ours.Published, 'label' | 'previous_version'>, Server['Published']>>,
  Holds<Wrong<ours.Facets, Server['Facets']>>,
  Holds<Wrong<ours.Label, Server['Label']>>,
  Holds<Wrong<ours.PromptLabel, Server['PromptLabel']>>,
  Holds<Wrong<ours.LabelMove, Server['HistoryEntry']>>,
  Holds<Wrong<ours.ChangedEvent, Server['Changed']>>,
  Holds<Wrong<ours.Include, Server['IncludedSnippet']>>,
];
