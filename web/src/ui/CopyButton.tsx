import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { copyText } from './clipboard';

interface Props {
  value: string;
  /** What is copied, as a command: "Copy slug". */
  label?: string;
  /** Shows the words beside the icon. */
  withText?: boolean;
  size?: 'xs' | 'sm' | 'md';
  onCopied?: () => void;
}

type State = 'idle' | 'copied' | 'failed';

/** Copies a text and says so, to the eye and to the screen reader. */
export function CopyButton({ value, label = 'Copy', withText = false, size = 'sm', onCopied }: Props) {
  const [state, setState] = useState<State>('idle');
  const timer = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  async function copy() {
    const ok = await copyText(value);
    setState(ok ? 'copied' : 'failed');
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setState('idle'), 2000);
    if (ok) onCopied?.();
  }

  const text = state === 'copied' ? 'Copied' : state === 'failed' ? 'Press Ctrl+C to copy' : label;
  const icon = state === 'copied' ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />;

  if (withText) {
    return (
      <Button variant="default" size={size} leftSection={icon} onClick={copy}>
        <span aria-live="polite">{text}</span>
      </Button>
    );
  }
  return (
    <Tooltip label={text} openDelay={state === 'idle' ? 300 : 0}>
      <ActionIcon variant="subtle" color="gray" size={size} aria-label={text} onClick={copy}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
