import type { Role } from '~/api/types';

/** The roles in the order of what they may do. */
export const roles: { value: Role; label: string; text: string }[] = [
  { value: 'viewer', label: 'Viewer', text: 'Reads prompts and tries them out.' },
  { value: 'editor', label: 'Editor', text: 'Also writes prompts, publishes them and puts them into the bin.' },
  { value: 'admin', label: 'Admin', text: 'Also invites people, and manages API keys, labels and the bin.' },
  { value: 'owner', label: 'Owner', text: 'Also hands the workspace over or deletes it.' },
];

const ranks: Record<Role, number> = { viewer: 0, editor: 1, admin: 2, owner: 3 };

export function roleLabel(role: Role): string {
  return roles.find(({ value }) => value === role)?.label ?? role;
}

/** The roles that somebody may give: none above their own. */
export function rolesUpTo(own: Role | null | undefined): typeof roles {
  return own ? roles.filter(({ value }) => ranks[value] <= ranks[own]) : [];
}

/** What can be allowed or forbidden to one person beside the role, and the role from which it is allowed anyhow. */
export const fineRights: { right: string; label: string; text: string; from: Role }[] = [
  { right: 'write', label: 'Write', text: 'Change prompts and drafts.', from: 'editor' },
  { right: 'publish', label: 'Publish', text: 'Make versions live, and roll back.', from: 'editor' },
  { right: 'delete', label: 'Delete', text: 'Put prompts into the bin and take them out.', from: 'editor' },
  { right: 'keys', label: 'API keys', text: 'Make, rotate and revoke API keys.', from: 'admin' },
  { right: 'members', label: 'People', text: 'Invite people, change what they may do, remove them.', from: 'admin' },
];

/** Whether a role allows this by itself. */
export function roleAllows(role: Role, from: Role): boolean {
  return ranks[role] >= ranks[from];
}
