import { useState } from 'react';
import classes from './Avatar.module.css';
import { initials } from './initials';

interface Props {
  name: string;
  url?: string | null;
  /** Pixels. */
  size?: number;
  /** People are round, workspaces square. */
  shape?: 'round' | 'square';
}

/** A picture of somebody or something, or the letters it begins with. Its name stands beside it. */
export function Avatar({ name, url, size = 28, shape = 'round' }: Props) {
  const [broken, setBroken] = useState<string | null>(null);
  const box = { width: size, height: size, fontSize: Math.round(size * 0.42) };
  if (url && broken !== url) {
    return (
      <img className={classes.face} data-shape={shape} style={box} src={url} alt="" onError={() => setBroken(url)} />
    );
  }
  return (
    <span className={classes.face} data-shape={shape} style={box} aria-hidden>
      {shape === 'square' ? name.trim().charAt(0).toUpperCase() : initials(name)}
    </span>
  );
}
