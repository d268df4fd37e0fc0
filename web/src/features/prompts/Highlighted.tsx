import type { Segment } from '~/api/types';
import classes from './PromptTable.module.css';

/** A text with the searched words marked, where the server says which they are. */
export function Highlighted({ text, segments }: { text: string; segments?: Segment[] }) {
  if (!segments || segments.length === 0) return <>{text}</>;
  return (
    <>
      {segments.map((segment, index) =>
        segment.match ? (
          <mark key={index} className={classes.match}>
            {segment.text}
          </mark>
        ) : (
          segment.text
        ),
      )}
    </>
  );
}
