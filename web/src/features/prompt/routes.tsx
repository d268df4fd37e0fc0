import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { promptDetailsQuery } from '~/api/prompts';
import { queryClient } from '~/api/query-client';
import { appRoute } from '~/app/app-route';

/** The prompt page. Its tabs are its children, so that each has an address of its own. */
export const promptRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/prompts/$slug',
  loader: ({ params }) => void queryClient.prefetchQuery(promptDetailsQuery(params.slug)),
  component: lazyRouteComponent(() => import('./PromptPage'), 'PromptPage'),
});

const tab = lazyRouteComponent(() => import('./PromptPage'), 'EditTab');

const editRoute = createRoute({ getParentRoute: () => promptRoute, path: '/', component: tab });
const editAliasRoute = createRoute({ getParentRoute: () => promptRoute, path: '/edit', component: tab });

export const promptRoutes = promptRoute.addChildren([editRoute, editAliasRoute]);
