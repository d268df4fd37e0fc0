import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { appRoute } from './app-route';

const membersRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/members',
  component: lazyRouteComponent(() => import('~/features/members/MembersPage'), 'MembersPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('~/features/workspace/SettingsPage'), 'SettingsPage'),
});

/** Who works in the workspace, and what holds for all of it. */
export const peopleRoutes = [membersRoute, settingsRoute];
