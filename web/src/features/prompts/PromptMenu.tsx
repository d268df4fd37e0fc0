import { ActionIcon, Menu } from '@mantine/core';
import { IconArchive, IconArchiveOff, IconCopy, IconDots, IconFiles, IconFolder, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { ListedPrompt } from '~/api/types';
import { copyText } from '~/ui/clipboard';
import { notifyDone } from '~/ui/notify';
import type { PromptActions } from './actions';

interface Props {
  prompt: ListedPrompt;
  actions: PromptActions;
}

/** What can be done to a prompt from its row. The menu itself is made when it is first wanted: a list has many rows. */
export function PromptMenu(props: Props) {
  const [wanted, setWanted] = useState(false);
  if (wanted) return <OpenMenu {...props} />;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-haspopup="menu"
      aria-label={`Actions for ${props.prompt.title}`}
      onClick={() => setWanted(true)}
    >
      <IconDots size={18} aria-hidden />
    </ActionIcon>
  );
}

function OpenMenu({ prompt, actions }: Props) {
  const [opened, setOpened] = useState(false);
  // Only now is the button in the page that gets the focus back when the menu closes.
  useEffect(() => setOpened(true), []);
  return (
    <Menu width={200} opened={opened} onChange={setOpened}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" autoFocus aria-label={`Actions for ${prompt.title}`}>
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
            <Menu.Item leftSection={<IconFolder size={16} aria-hidden />} onClick={() => actions.file(prompt)}>
              Put into a folder
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
