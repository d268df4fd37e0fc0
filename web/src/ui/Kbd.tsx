import { keyCaps } from './platform';
import classes from './Kbd.module.css';

/** A key combination as caps: <Kbd keys="mod+s" />. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className={classes.keys}>
      {keyCaps(keys).map((cap) => (
        <kbd key={cap} className={classes.cap}>
          {cap}
        </kbd>
      ))}
    </span>
  );
}
