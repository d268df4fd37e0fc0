import type { Role, Timestamp } from './types';

/** What a member may do beyond the role, or may not do in spite of it. */
export type Permissions = Partial<Record<string, boolean>>;

/** A person, as other members see them. */
export interface MemberUser {
  id: string;
  name: string;
  email: string;
  avatar_url: string | null;
}

export interface Member {
  user: MemberUser;
  role: Role;
  permissions: Permissions;
  rights: string[];
  joined_at: Timestamp;
  last_seen_at: Timestamp | null;
}

export interface Invitation {
  id: string;
  email: string;
  role: Role;
  invited_by: { id?: string | null; name: string };
  created_at: Timestamp;
  /** When the link was last made. */
  sent_at: Timestamp;
  expires_at: Timestamp;
  expired: boolean;
}

/** A key that may do less, or is refused, because the person who made it may do less. */
export interface AffectedKey {
  id: string;
  name: string;
  effect: 'stopped' | 'reduced' | 'widened';
}

/** An invitation that was made or sent again; with its link where the server sends no e-mail. */
export interface Invited {
  invitation: Invitation;
  link?: string | null;
}

/** What somebody who was invited sees before they are anybody. */
export interface InvitationView {
  workspace: { name: string; slug: string };
  invited_by: string;
  email: string;
  role: Role;
  account_exists: boolean;
  /** `closed`: nobody can make an account here. */
  registration: 'open' | 'invite' | 'closed';
  expires_at: Timestamp;
}

export interface WorkspaceSettings {
  require_change_comment: boolean;
}
