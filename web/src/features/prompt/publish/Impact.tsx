import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import type { Notice } from '../model/impact';
import classes from './PublishSheet.module.css';

const icons = { breaking: IconAlertTriangle, notice: IconInfoCircle, info: IconInfoCircle };

/** What a publish means for those who call the prompt, the gravest first. */
export function Impact({ notices, first }: { notices: Notice[]; first: boolean }) {
  if (notices.length === 0) {
    return (
      <p className={classes.calm}>
        <IconCircleCheck size={16} aria-hidden />
        {first ? 'Callers have nothing to send.' : 'Nothing but the new text. Callers need not change anything.'}
      </p>
    );
  }
  return (
    <ul className={classes.impact}>
      {notices.map((notice) => {
        const Icon = icons[notice.tone];
        return (
          <li key={notice.text} data-tone={notice.tone}>
            <Icon size={16} aria-hidden />
            <span>{notice.text}</span>
          </li>
        );
      })}
    </ul>
  );
}
