import { Menu, UnstyledButton } from '@mantine/core';
import {
  IconBook2,
  IconDeviceDesktop,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconSun,
  IconUserCircle,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMe } from '~/api/account';
import { type Scheme, schemes, useAppearance } from '~/features/account/use-appearance';
import { signOut } from '~/features/auth/session';
import { Avatar } from '~/ui/Avatar';
import { Kbd } from '~/ui/Kbd';
import { notifyError } from '~/ui/notify';
import classes from './UserMenu.module.css';

interface Props {
  collapsed: boolean;
  onShortcuts: () => void;
  onNavigate?: () => void;
}

const icons: Record<Scheme, typeof IconSun> = { light: IconSun, dark: IconMoon, auto: IconDeviceDesktop };

/** You, at the foot of the sidebar. */
export function UserMenu({ collapsed, onShortcuts, onNavigate }: Props) {
  const { user } = useMe();
  const { scheme, choose } = useAppearance();
  const name = user?.name || user?.email || 'Account';
  return (
    <Menu position="top-start" width={240}>
      <Menu.Target>
        <UnstyledButton className={classes.face} data-collapsed={collapsed || undefined} aria-label={`${name}: your menu`}>
          <Avatar name={name} url={user?.avatar_url} size={26} />
          {!collapsed && <span className={classes.name}>{name}</span>}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{user?.email}</Menu.Label>
        <Menu.Item
          component={Link}
          to="/account"
          leftSection={<IconUserCircle size={16} aria-hidden />}
          onClick={onNavigate}
        >
          Profile and sessions
        </Menu.Item>
        <Menu.Item
          leftSection={<IconKeyboard size={16} aria-hidden />}
          rightSection={<Kbd keys="?" />}
          onClick={onShortcuts}
        >
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Item component="a" href="/docs" target="_blank" leftSection={<IconBook2 size={16} aria-hidden />}>
          API reference
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        <Menu.RadioGroup value={scheme} onChange={(value) => void choose(value as Scheme)}>
          {schemes.map(({ value, label }) => {
            const Icon = icons[value];
            return (
              <Menu.RadioItem key={value} value={value} rightSection={<Icon size={16} aria-hidden />}>
                {label}
              </Menu.RadioItem>
            );
          })}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={16} aria-hidden />}
          onClick={() => signOut().catch((error) => notifyError(error))}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
