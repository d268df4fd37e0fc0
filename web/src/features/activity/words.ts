import type { ActivityItem } from '~/api/types';

/** What was done, as it is said between who did it and what it was done to. */
const verbs: Record<string, string> = {
  'prompt.created': 'wrote',
  'prompt.updated': 'changed',
  'prompt.edited': 'changed',
  'version.created': 'saved a version of',
  'prompt.published': 'published',
  'prompt.rolled_back': 'rolled back',
  'label.moved': 'moved a label of',
  'prompt.archived': 'archived',
  'prompt.unarchived': 'took out of the archive',
  'prompt.deleted': 'put into the bin',
  'prompt.restored': 'restored',
  'prompt.purged': 'deleted for good',
  'draft.saved': 'worked on a draft of',
  'draft.discarded': 'threw away a draft of',
  'preview_link.created': 'shared a preview of',
  'preview_link.revoked': 'ended a preview of',
  'label.created': 'made the label',
  'label.updated': 'changed the label',
  'label.deleted': 'deleted the label',
  'folder.created': 'made the folder',
  'folder.updated': 'changed the folder',
  'folder.deleted': 'deleted the folder',
  'api_key.created': 'made the API key',
  'api_key.rotated': 'rotated the API key',
  'api_key.revoked': 'revoked the API key',
  'workspace.created': 'made the workspace',
  'workspace.updated': 'changed the settings of',
  'member.added': 'added',
  'member.updated': 'changed what may do',
  'member.removed': 'removed',
  'user.registered': 'made an account',
  'user.updated': 'changed the profile of',
  'auth.password_changed': 'changed the password of',
  'auth.login': 'signed in',
  'auth.login_failed': 'failed to sign in',
  'auth.session_revoked': 'ended a session',
  'access.denied': 'was refused',
};

/** "published", "put into the bin"; for what is newer than this dashboard, the server's own word. */
export function verbOf(type: string): string {
  return verbs[type] ?? type.replace(/[._]/g, ' ');
}

/** Groups that can be looked for. */
export const groups: { value: string; label: string; adminOnly?: boolean }[] = [
  { value: '', label: 'Everything' },
  { value: 'prompt', label: 'Prompts' },
  { value: 'prompt.published,prompt.rolled_back,label.moved', label: 'What went live' },
  { value: 'draft', label: 'Drafts' },
  { value: 'member,workspace', label: 'People and workspace' },
  { value: 'api_key', label: 'API keys', adminOnly: true },
  { value: 'auth,access', label: 'Sign-ins and refusals', adminOnly: true },
];

const names: Record<string, string> = {
  title: 'Title',
  slug: 'Slug',
  description: 'Description',
  category: 'Category',
  tags: 'Tags',
  role: 'Role',
  name: 'Name',
  version: 'Version',
  label: 'Label',
  comment: 'Why',
  color: 'Colour',
  protected: 'Protected',
};

export interface ChangedField {
  name: string;
  before: string | null;
  after: string | null;
}

/** A value in a line. */
function short(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map((item) => short(item) ?? '').join(', ') || null;
  return typeof value === 'object' ? null : String(value);
}

/** The few facts of an event that say something to people. */
export function changesOf({ before, after }: Pick<ActivityItem, 'before' | 'after'>): ChangedField[] {
  const fields = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...fields].flatMap((field) => {
    const name = names[field];
    const [was, is] = [short(before?.[field]), short(after?.[field])];
    return name && was !== is ? [{ name, before: was, after: is }] : [];
  });
}

/** The slug of the prompt that an event is about, if it is about one that can still be opened. */
export function slugOf({ type, resource }: Pick<ActivityItem, 'type' | 'resource'>): string | null {
  const gone = type === 'prompt.purged' || type === 'prompt.deleted';
  return resource.type === 'prompt' && !gone ? (resource.name ?? null) : null;
}
