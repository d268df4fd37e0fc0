import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { parseActivitySearch } from '~/features/activity/filter';
import { appRoute } from './app-route';

const activityRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/activity',
  validateSearch: parseActivitySearch,
  component: lazyRouteComponent(() => import('~/features/activity/ActivityPage'), 'ActivityPage'),
});

const importRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/import',
  component: lazyRouteComponent(() => import('~/features/import/ImportPage'), 'ImportPage'),
});

const importRunRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/import/$id',
  component: lazyRouteComponent(() => import('~/features/import/RunPage'), 'RunPage'),
});

/** What happened in the workspace, and the ways in for what somebody has elsewhere. */
export const dataRoutes = [activityRoute, importRoute, importRunRoute];
