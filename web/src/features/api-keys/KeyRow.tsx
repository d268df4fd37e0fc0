import { Button } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconClockX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ApiKey, KeyStatus } from '~/api/types';
import { RelativeTime } from '~/ui/RelativeTime';
import { rowsClasses } from '~/ui/Rows';
import classes from './KeyRow.module.css';
import { maskedKey, scopeWords } from './words';

const statuses: Record<KeyStatus, { words: string; Icon: typeof IconCircleX }> = {
  active: { words: 'Active', Icon: IconCircleCheck },
  expiring: { words: 'Ends soon', Icon: IconAlertTriangle },
  expired: { words: 'Expired', Icon: IconClockX },
  revoked: { words: 'Revoked', Icon: IconCircleX },
};

interface Props {
  apiKey: ApiKey;
  /** The key that took this one's place. */
  replacement?: ApiKey;
  onRotate: () => void;
  onRevoke: () => void;
}

/** One key: what it may do, where, until when, and when it was last seen. */
export function KeyRow({ apiKey: key, replacement, onRotate, onRevoke }: Props) {
  const { words, Icon } = statuses[key.status];
  const works = key.status === 'active' || key.status === 'expiring';
  return (
    <li className={rowsClasses.row} data-ended={!works || undefined}>
      <div className={rowsClasses.words}>
        <span className={rowsClasses.title}>
          {key.name}
          <span className={classes.status} data-status={key.status}>
            <Icon size={13} aria-hidden />
            {words}
          </span>
        </span>
        <span className={rowsClasses.quiet}>
          <code>{maskedKey(key)}</code> · {key.kind === 'publishable' ? 'Publishable: fetches prompts' : scopeWords(key.scopes)}
        </span>
        <Limits apiKey={key} />
        {replacement && works && (
          <span className={rowsClasses.quiet}>
            Replaced by <code>{maskedKey(replacement)}</code>; move your programs over before it ends.
          </span>
        )}
      </div>
      <div className={classes.times}>
        <span>
          {key.last_used_at ? (
            <>
              Used <RelativeTime time={key.last_used_at} />
            </>
          ) : (
            'Never used'
          )}
        </span>
        <span>
          Made <RelativeTime time={key.created_at} /> by {key.created_by.name}
        </span>
      </div>
      <div className={classes.actions}>
        {works && (
          <>
            <Button variant="default" size="xs" onClick={onRotate} aria-label={`Rotate ${key.name}`} disabled={Boolean(key.replaced_by)}>
              Rotate
            </Button>
            <Button variant="subtle" color="red" size="xs" onClick={onRevoke} aria-label={`Revoke ${key.name}`}>
              Revoke
            </Button>
          </>
        )}
      </div>
    </li>
  );
}

/** Everything that narrows the key, in one line; nothing where it is not narrowed. */
function Limits({ apiKey: key }: { apiKey: ApiKey }) {
  const parts: { name: string; text: ReactNode }[] = [];
  if (key.labels.length > 0) parts.push({ name: 'labels', text: `Only ${key.labels.join(', ')}` });
  if (key.allowed_origins.length > 0) parts.push({ name: 'origins', text: `From ${key.allowed_origins.join(', ')}` });
  if (key.allowed_ips.length > 0) parts.push({ name: 'addresses', text: `From ${key.allowed_ips.join(', ')}` });
  if (key.rate_limit_per_minute) {
    parts.push({ name: 'rate', text: `${key.rate_limit_per_minute.toLocaleString()} requests a minute` });
  }
  if (key.revoked_at) parts.push({ name: 'revoked', text: <>Revoked <RelativeTime time={key.revoked_at} /></> });
  else if (key.expires_at) {
    const ended = key.status === 'expired';
    parts.push({ name: 'expiry', text: <>{ended ? 'Ended' : 'Ends'} <RelativeTime time={key.expires_at} /></> });
  }
  if (parts.length === 0) return null;
  return (
    <span className={rowsClasses.quiet}>
      {parts.map(({ name, text }, index) => (
        <span key={name}>
          {index > 0 && ' · '}
          {text}
        </span>
      ))}
    </span>
  );
}
