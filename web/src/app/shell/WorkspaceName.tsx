import { Menu, UnstyledButton } from '@mantine/core';
import { IconCheck, IconPlus, IconSelector, IconSettings, IconUsers } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { rememberWorkspace, useMe } from '~/api/account';
import { Avatar } from '~/ui/Avatar';
import classes from './WorkspaceName.module.css';

const NewWorkspaceDialog = lazy(() => import('~/features/workspace/NewWorkspaceDialog'));

interface Props {
  collapsed: boolean;
  onNavigate?: () => void;
}

/** The workspace that is open, the way to the others, and what belongs to it. */
export function WorkspaceName({ collapsed, onNavigate }: Props) {
  const { me, workspace } = useMe();
  const [making, setMaking] = useState(false);
  const name = workspace?.name ?? 'xr2';

  function open(id: string) {
    rememberWorkspace(id);
    // Everything on the screen belongs to the workspace, so begin again from its front page.
    window.location.assign('/');
  }

  return (
    <>
      <Menu position="bottom-start" width={250}>
        <Menu.Target>
          <UnstyledButton className={classes.face} aria-label={`Workspace: ${name}. Change it`}>
            <Avatar name={name} size={24} shape="square" />
            {!collapsed && (
              <>
                <span className={classes.name}>{name}</span>
                <IconSelector size={14} aria-hidden />
              </>
            )}
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Workspaces</Menu.Label>
          <div className={classes.all}>
            {me.workspaces.map((other) => (
              <Menu.Item
                key={other.id}
                leftSection={<Avatar name={other.name} size={20} shape="square" />}
                rightSection={other.id === workspace?.id ? <IconCheck size={14} aria-label="open now" /> : null}
                onClick={() => open(other.id)}
              >
                <span className={classes.item}>{other.name}</span>
              </Menu.Item>
            ))}
          </div>
          <Menu.Item leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
            New workspace
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item component={Link} to="/members" leftSection={<IconUsers size={16} aria-hidden />} onClick={onNavigate}>
            Members
          </Menu.Item>
          <Menu.Item component={Link} to="/settings" leftSection={<IconSettings size={16} aria-hidden />} onClick={onNavigate}>
            Workspace settings
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>{making && <NewWorkspaceDialog onClose={() => setMaking(false)} />}</Suspense>
    </>
  );
}
