import { CopyButton } from '~/ui/CopyButton';
import classes from './Members.module.css';

/** A link to hand over. */
export function LinkBox({ link }: { link: string }) {
  return (
    <div className={classes.link}>
      <code data-testid="link">{link}</code>
      <CopyButton value={link} label="Copy link" withText />
    </div>
  );
}
