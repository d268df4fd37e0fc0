import { Button, SegmentedControl, Tooltip } from '@mantine/core';
import { IconDeviceFloppy, IconPlayerPlay } from '@tabler/icons-react';
import { Kbd } from '~/ui';
import { withType } from '../model/body';
import { useBody, usePrompt } from '../PromptContext';
import { SaveStatus } from './SaveStatus';
import { SyntaxMenu } from './SyntaxMenu';
import classes from './Toolbar.module.css';

interface Props {
  onTest: () => void;
  testing: boolean;
}

/** The form of the prompt at the left, what to do with it at the right. */
export function Toolbar({ onTest, testing }: Props) {
  const { session, readOnly } = usePrompt();
  const { type } = useBody();
  return (
    <div className={classes.bar}>
      <SegmentedControl
        aria-label="Form of the prompt"
        size="xs"
        disabled={readOnly !== null}
        value={type}
        onChange={(value) => session.update((body) => withType(body, value as 'text' | 'chat'))}
        data={[
          { value: 'text', label: 'Text' },
          { value: 'chat', label: 'Chat' },
        ]}
      />
      <SyntaxMenu />
      <div className={classes.actions}>
        <Tooltip
          label={
            <>
              Save the draft <Kbd keys="mod+s" />
            </>
          }
        >
          <Button
            variant="default"
            size="xs"
            disabled={readOnly !== null}
            leftSection={<IconDeviceFloppy size={15} aria-hidden />}
            onClick={() => void session.autosave.flush()}
          >
            Save
          </Button>
        </Tooltip>
        <Tooltip label="Fill in the samples and see what a caller gets">
          <Button
            variant="default"
            size="xs"
            loading={testing}
            leftSection={<IconPlayerPlay size={15} aria-hidden />}
            onClick={onTest}
          >
            Test
          </Button>
        </Tooltip>
        <SaveStatus />
      </div>
    </div>
  );
}
