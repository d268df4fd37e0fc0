import { Tooltip, UnstyledButton } from '@mantine/core';
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand, IconSearch } from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useRole } from '~/api/account';
import { Kbd } from '~/ui/Kbd';
import { mainPages, type NavPage, workspacePages } from './nav';
import classes from './Sidebar.module.css';
import { UserMenu } from './UserMenu';
import { WorkspaceName } from './WorkspaceName';

const PromptPlaces = lazy(() => import('~/features/folders/PromptPlaces'));

interface Props {
  className?: string;
  collapsed?: boolean;
  /** Absent in the drawer, which has nothing to fold. */
  onToggle?: () => void;
  onSearch: () => void;
  onShortcuts: () => void;
  /** Called when a link was followed; the drawer closes then. */
  onNavigate?: () => void;
}

export function Sidebar({ className, collapsed = false, onToggle, onSearch, onShortcuts, onNavigate }: Props) {
  const isAdmin = useRole('admin');
  const fold = collapsed ? 'Unfold the sidebar' : 'Fold the sidebar';
  return (
    <nav className={`${classes.sidebar} ${className ?? ''}`} aria-label="Main" data-collapsed={collapsed || undefined}>
      <div className={classes.top}>
        <WorkspaceName collapsed={collapsed} onNavigate={onNavigate} />
        {onToggle && !collapsed && (
          <Tooltip label={<>{fold} <Kbd keys="[" /></>} position="right">
            <UnstyledButton className={classes.fold} onClick={onToggle} aria-label={fold}>
              <IconLayoutSidebarLeftCollapse size={18} stroke={1.5} aria-hidden />
            </UnstyledButton>
          </Tooltip>
        )}
      </div>

      <SideTip label="Search" collapsed={collapsed}>
        <UnstyledButton className={classes.search} onClick={onSearch} aria-label="Search, or run an action">
          <IconSearch size={16} aria-hidden />
          {!collapsed && (
            <>
              <span className={classes.searchText}>Search</span>
              <Kbd keys="mod+k" />
            </>
          )}
        </UnstyledButton>
      </SideTip>

      <ul className={classes.list}>
        {mainPages.map((page) => (
          <NavItem key={page.to} page={page} collapsed={collapsed} onNavigate={onNavigate} />
        ))}
      </ul>

      {!collapsed && (
        <Suspense>
          <PromptPlaces onNavigate={onNavigate} />
        </Suspense>
      )}

      <div className={classes.foot}>
        <ul className={classes.list}>
          {workspacePages
            .filter((page) => !page.adminOnly || isAdmin)
            .map((page) => (
              <NavItem key={page.to} page={page} collapsed={collapsed} onNavigate={onNavigate} />
            ))}
        </ul>
        {onToggle && collapsed && (
          <SideTip label={fold} collapsed>
            <UnstyledButton className={classes.link} onClick={onToggle} aria-label={fold}>
              <IconLayoutSidebarLeftExpand size={18} stroke={1.5} aria-hidden />
            </UnstyledButton>
          </SideTip>
        )}
        <UserMenu collapsed={collapsed} onShortcuts={onShortcuts} onNavigate={onNavigate} />
      </div>
    </nav>
  );
}

function NavItem({ page, collapsed, onNavigate }: { page: NavPage; collapsed: boolean; onNavigate?: () => void }) {
  const pathname = useLocation({ select: (location) => location.pathname });
  const active = page.isActive(pathname);
  const { Icon } = page;
  return (
    <li>
      <SideTip label={page.label} collapsed={collapsed}>
        <Link
          to={page.to}
          className={classes.link}
          activeOptions={{ exact: true, includeSearch: false }}
          data-active={active || undefined}
          aria-current={active ? 'page' : undefined}
          aria-label={collapsed ? page.label : undefined}
          onClick={onNavigate}
        >
          <Icon size={18} stroke={1.5} aria-hidden />
          {!collapsed && <span>{page.label}</span>}
        </Link>
      </SideTip>
    </li>
  );
}

function SideTip({ label, collapsed, children }: { label: string; collapsed: boolean; children: React.ReactElement }) {
  return (
    <Tooltip label={label} position="right" disabled={!collapsed} openDelay={100}>
      {children}
    </Tooltip>
  );
}
