import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { promptDetailsQuery } from '~/api/prompts';
import { queryClient } from '~/api/query-client';
import { appRoute } from '~/app/app-route';
import { parseHistorySearch } from './history/search';

/** The prompt page. Its tabs are its children, so that each has an address of its own. */
export const promptRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/prompts/$slug',
  loader: ({ params }) => void queryClient.prefetchQuery(promptDetailsQuery(params.slug)),
  component: lazyRouteComponent(() => import('./PromptPage'), 'PromptPage'),
});

const edit = lazyRouteComponent(() => import('./edit/EditTab'), 'EditTab');

const editRoute = createRoute({ getParentRoute: () => promptRoute, path: '/', component: edit });
const editAliasRoute = createRoute({ getParentRoute: () => promptRoute, path: '/edit', component: edit });

const historyRoute = createRoute({
  getParentRoute: () => promptRoute,
  path: '/history',
  validateSearch: parseHistorySearch,
  component: lazyRouteComponent(() => import('./history/HistoryTab'), 'HistoryTab'),
});

const useRoute = createRoute({
  getParentRoute: () => promptRoute,
  path: '/use',
  component: lazyRouteComponent(() => import('./use/UseTab'), 'UseTab'),
});

const settingsRoute = createRoute({
  getParentRoute: () => promptRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings/SettingsTab'), 'SettingsTab'),
});

export const promptRoutes = promptRoute.addChildren([editRoute, editAliasRoute, historyRoute, useRoute, settingsRoute]);
