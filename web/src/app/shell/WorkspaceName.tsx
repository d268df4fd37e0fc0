import { Menu, UnstyledButton } from '@mantine/core';
import { IconCheck, IconSelector } from '@tabler/icons-react';
import { rememberWorkspace, useMe } from '~/api/account';
import classes from './WorkspaceName.module.css';

/** The workspace that is open; a menu where there are several. */
export function WorkspaceName({ collapsed }: { collapsed: boolean }) {
  const { me, workspace } = useMe();
  const name = workspace?.name ?? 'xr2';
  const face = (
    <>
      <span className={classes.mark} aria-hidden>
        {name.trim().charAt(0).toUpperCase()}
      </span>
      {!collapsed && <span className={classes.name}>{name}</span>}
    </>
  );

  if (me.workspaces.length < 2) {
    return (
      <div className={classes.face} title={name}>
        {face}
        {collapsed && <span className={classes.hidden}>{name}</span>}
      </div>
    );
  }

  function open(id: string) {
    rememberWorkspace(id);
    // Everything on the screen belongs to the workspace, so begin again from its front page.
    window.location.assign('/');
  }

  return (
    <Menu position="bottom-start" width={240}>
      <Menu.Target>
        <UnstyledButton className={classes.face} aria-label={`Workspace: ${name}. Change it`}>
          {face}
          {!collapsed && <IconSelector size={14} aria-hidden />}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Workspaces</Menu.Label>
        {me.workspaces.map((other) => (
          <Menu.Item
            key={other.id}
            rightSection={other.id === workspace?.id ? <IconCheck size={14} aria-label="open now" /> : null}
            onClick={() => open(other.id)}
          >
            {other.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
