import { ActionIcon, Menu } from '@mantine/core';
import { IconArchive, IconArchiveOff, IconCopy, IconDots, IconFiles, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Prompt } from '~/api/types';
import { copyText } from '~/ui/clipboard';
import { notifyDone } from '~/ui/notify';
import type { PromptActions } from './actions';

interface Props {
  prompt: Prompt;
  actions: PromptActions;
  className?: string;
}

/** What can be done to a prompt from its row. */
export function PromptMenu({ prompt, actions, className }: Props) {
  return (
    <Menu width={200}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" className={className} aria-label={`Actions for ${prompt.title}`}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          renderRoot={(props) => <Link to="/prompts/$slug" params={{ slug: prompt.slug }} {...props} />}
          leftSection={<IconPencil size={16} aria-hidden />}
        >
          Open
        </Menu.Item>
        <Menu.Item
          leftSection={<IconCopy size={16} aria-hidden />}
          onClick={async () => {
            if (await copyText(prompt.slug)) notifyDone('Slug copied.');
          }}
        >
          Copy slug
        </Menu.Item>
        {prompt.can.edit && (
          <>
            <Menu.Item leftSection={<IconFiles size={16} aria-hidden />} onClick={() => actions.duplicate(prompt)}>
              Duplicate
            </Menu.Item>
            <Menu.Item
              leftSection={
                prompt.archived ? <IconArchiveOff size={16} aria-hidden /> : <IconArchive size={16} aria-hidden />
              }
              onClick={() => actions.setArchived(prompt, !prompt.archived)}
            >
              {prompt.archived ? 'Take out of the archive' : 'Archive'}
            </Menu.Item>
          </>
        )}
        {prompt.can.delete && (
          <>
            <Menu.Divider />
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => actions.moveToBin(prompt)}
            >
              Move to bin
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
