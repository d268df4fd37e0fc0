import { Link } from '@tanstack/react-router';
import type { ActivityItem } from '~/api/types';
import { Avatar } from '~/ui/Avatar';
import { RelativeTime } from '~/ui/RelativeTime';
import classes from './Activity.module.css';
import { changesOf, slugOf, verbOf } from './words';

/** Events as sentences, day by day. */
export function Feed({ items }: { items: ActivityItem[] }) {
  return (
    <ol className={classes.feed}>
      {items.map((item, index) => {
        const day = dayOf(item.at);
        return (
          <li key={item.id}>
            {(index === 0 || dayOf(items[index - 1]!.at) !== day) && <h2 className={classes.day}>{day}</h2>}
            <Entry item={item} />
          </li>
        );
      })}
    </ol>
  );
}

const days = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayOf = (time: string) => days.format(new Date(time));

function Entry({ item }: { item: ActivityItem }) {
  const slug = slugOf(item);
  const changes = changesOf(item);
  const name = item.resource.name;
  const isOneself = item.resource.type === 'user' && item.resource.id === item.actor.id;
  return (
    <div className={classes.entry}>
      <Avatar name={item.actor.name} size={24} shape={item.actor.type === 'user' ? 'round' : 'square'} />
      <div className={classes.words}>
        <span>
          <strong>{item.actor.name}</strong>
          {item.actor.type === 'key' && ' (API key)'} {verbOf(item.type)}{' '}
          {slug ? (
            <Link to="/prompts/$slug" params={{ slug }} className={classes.link}>
              {slug}
            </Link>
          ) : (
            name && !isOneself && <span className={classes.name}>{name}</span>
          )}
        </span>
        {changes.length > 0 && (
          <span className={classes.changes}>
            {changes.map(({ name: field, before, after }) => (
              <span key={field}>
                {field}: {before !== null && <del>{before}</del>} {after !== null && <ins>{after}</ins>}
              </span>
            ))}
          </span>
        )}
      </div>
      <RelativeTime time={item.at} className={classes.time} />
    </div>
  );
}
