import { Outlet, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useState } from 'react';
import { useMe, useRole } from '~/api/account';
import { useLive } from '~/api/live';
import { useRememberedAppearance } from '~/features/account/use-appearance';
import { useShortcut } from '~/ui/shortcuts';
import { OfflineBar } from './OfflineBar';
import { SessionGuard } from './SessionGuard';
import classes from './Shell.module.css';
import { Sidebar } from './Sidebar';
import { TopBar } from './TopBar';
import { useNavigationFocus } from './use-navigation-focus';
import { useSidebarState } from './use-sidebar-state';

const Palette = lazy(() => import('./Palette'));
const ShortcutMap = lazy(() => import('./ShortcutMap'));
const Toasts = lazy(() => import('./Toasts'));

/** The frame around every page: sidebar, shortcuts, live updates, messages. */
export function Shell() {
  const { workspace } = useMe();
  const mayWrite = useRole('editor');
  const navigate = useNavigate();
  const sidebar = useSidebarState();
  const [palette, setPalette] = useState(false);
  const [map, setMap] = useState(false);
  const announcement = useNavigationFocus();
  const openPalette = useCallback(() => setPalette(true), []);

  useLive(workspace?.id ?? null);
  useRememberedAppearance();
  useShortcut({ keys: 'mod+k', description: 'Go to any prompt, page or action', group: 'Everywhere' }, openPalette);
  useShortcut({ keys: '/', description: 'Search prompts', group: 'Everywhere' }, () => {
    const search = document.querySelector<HTMLInputElement>('main input[type="search"]');
    if (search) search.focus();
    else openPalette();
  });
  useShortcut(
    { keys: 'c', description: 'Write a new prompt', group: 'Everywhere' },
    () => void navigate({ to: '/prompts/new' }),
    mayWrite,
  );
  useShortcut({ keys: '[', description: 'Fold or unfold the sidebar', group: 'Everywhere' }, sidebar.toggle);
  useShortcut({ keys: '?', description: 'Show this map', group: 'Everywhere' }, () => setMap(true));

  return (
    <div className={classes.shell} data-collapsed={sidebar.collapsed || undefined}>
      <a className={classes.skip} href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <TopBar onSearch={openPalette} onShortcuts={() => setMap(true)} />
      <Sidebar
        className={classes.sidebar}
        collapsed={sidebar.collapsed}
        onToggle={sidebar.toggle}
        onSearch={openPalette}
        onShortcuts={() => setMap(true)}
      />
      <main id="main" className={classes.main} tabIndex={-1}>
        <OfflineBar />
        <Outlet />
      </main>
      <div className={classes.announcer} aria-live="polite" role="status">
        {announcement}
      </div>
      <SessionGuard />
      <Suspense>
        <Toasts />
        {palette && <Palette onClose={() => setPalette(false)} onShortcuts={() => setMap(true)} />}
        {map && <ShortcutMap onClose={() => setMap(false)} />}
      </Suspense>
    </div>
  );
}

/** Moves the focus without writing "#main" into the address. */
function skipToMain(event: React.MouseEvent) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
