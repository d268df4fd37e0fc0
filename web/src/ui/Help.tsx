import { ActionIcon, Popover } from '@mantine/core';
import { IconHelpCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './Help.module.css';

interface Props {
  /** What it explains, as a question: "What is a label?" */
  question: string;
  children: ReactNode;
}

/** A few words of help where they are needed; opens on a click, so that it can be read at leisure and by everybody. */
export function Help({ question, children }: Props) {
  return (
    <Popover width={300} position="bottom-start" withArrow={false} shadow="md" trapFocus={false}>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" radius="xl" aria-label={question}>
          <IconHelpCircle size={16} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown className={classes.help} aria-label={question}>
        <strong className={classes.question}>{question}</strong>
        <div className={classes.answer}>{children}</div>
      </Popover.Dropdown>
    </Popover>
  );
}
