import { ActionIcon, Drawer } from '@mantine/core';
import { IconMenu2, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useMe } from '~/api/account';
import { Sidebar } from './Sidebar';
import classes from './TopBar.module.css';

/** The bar on phones: the sidebar as a drawer, and the search. */
export function TopBar({ onSearch, onShortcuts }: { onSearch: () => void; onShortcuts: () => void }) {
  const [opened, setOpened] = useState(false);
  const { workspace } = useMe();
  const close = () => setOpened(false);
  return (
    <div className={classes.bar} role="region" aria-label="Top bar">
      <ActionIcon variant="subtle" color="gray" size="xl" aria-label="Open the menu" onClick={() => setOpened(true)}>
        <IconMenu2 size={20} aria-hidden />
      </ActionIcon>
      <span className={classes.name}>{workspace?.name ?? 'xr2'}</span>
      <ActionIcon variant="subtle" color="gray" size="xl" aria-label="Search" onClick={onSearch}>
        <IconSearch size={20} aria-hidden />
      </ActionIcon>
      <Drawer opened={opened} onClose={close} size={280} padding={0} title="Menu" classNames={{ header: classes.drawerHead, body: classes.drawerBody }}>
        <Sidebar
          className={classes.drawerNav}
          onSearch={() => {
            close();
            onSearch();
          }}
          onShortcuts={() => {
            close();
            onShortcuts();
          }}
          onNavigate={close}
        />
      </Drawer>
    </div>
  );
}
