import { useMe } from '~/api/account';
import type { Member } from '~/api/types';
import { Avatar } from '~/ui/Avatar';
import { RelativeTime } from '~/ui/RelativeTime';
import { rowsClasses } from '~/ui/Rows';
import classes from './Members.module.css';
import { fineRights, roleLabel } from './words';

/** One person: who, as what, and since when. */
export function MemberRow({ member }: { member: Member }) {
  const { user: me } = useMe();
  const { user, role } = member;
  return (
    <li className={rowsClasses.row}>
      <Avatar name={user.name || user.email} url={user.avatar_url} size={32} />
      <div className={rowsClasses.words}>
        <span className={rowsClasses.title}>
          {user.name}
          {me?.id === user.id && <span className={classes.you}>you</span>}
        </span>
        <span className={rowsClasses.quiet}>
          {user.email} · joined <RelativeTime time={member.joined_at} />
          {member.last_seen_at && (
            <>
              {' · here '}
              <RelativeTime time={member.last_seen_at} />
            </>
          )}
        </span>
        <Exceptions member={member} />
      </div>
      <span className={classes.plainRole}>{roleLabel(role)}</span>
    </li>
  );
}

/** What differs from the role, in one line. */
function Exceptions({ member: { permissions } }: { member: Member }) {
  const named = (allowed: boolean) =>
    fineRights.filter(({ right }) => permissions[right] === allowed).map(({ label }) => label.toLowerCase());
  const more = named(true);
  const less = named(false);
  if (more.length + less.length === 0) return null;
  return (
    <span className={rowsClasses.quiet}>
      {more.length > 0 && `Also: ${more.join(', ')}`}
      {more.length > 0 && less.length > 0 && ' · '}
      {less.length > 0 && `Not: ${less.join(', ')}`}
    </span>
  );
}
