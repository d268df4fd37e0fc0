import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { exactTime, nextChange, relativeTime } from './time';

interface Props {
  time: string;
  className?: string;
  /** In long lists the browser's own hint says the exact time, which costs nothing until it is wanted. */
  plain?: boolean;
}

/** A time as people say it, with the exact one on hover. Keeps itself current. */
export function RelativeTime({ time, className, plain = false }: Props) {
  const [, setTick] = useState(0);
  useEffect(() => {
    let timer: number;
    const schedule = () => {
      timer = window.setTimeout(() => {
        setTick((tick) => tick + 1);
        schedule();
      }, nextChange(time));
    };
    schedule();
    return () => window.clearTimeout(timer);
  }, [time]);

  if (plain) {
    return (
      <time dateTime={time} className={className} title={exactTime(time)}>
        {relativeTime(time)}
      </time>
    );
  }
  return (
    <Tooltip label={exactTime(time)}>
      <time dateTime={time} className={className}>
        {relativeTime(time)}
      </time>
    </Tooltip>
  );
}
