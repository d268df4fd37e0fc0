import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { exactTime, nextChange, relativeTime } from './time';

/** A time as people say it, with the exact one on hover. Keeps itself current. */
export function RelativeTime({ time, className }: { time: string; className?: string }) {
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

  return (
    <Tooltip label={exactTime(time)}>
      <time dateTime={time} className={className}>
        {relativeTime(time)}
      </time>
    </Tooltip>
  );
}
