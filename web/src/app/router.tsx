import { createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { labelsQuery } from '~/api/account';
import { clientsQuery } from '~/api/clients';
import { promptListQuery } from '~/api/prompts';
import { queryClient } from '~/api/query-client';
import { parseClientsSearch } from '~/features/clients/filter';
import { promptRoutes } from '~/features/prompt/routes';
import { parseListSearch, parseNewSearch, toFilters } from '~/features/prompts/filters';
import { parseTagsSearch } from '~/features/tags/queries';
import { appRoute, rootRoute } from './app-route';
import { NotFoundPage } from './NotFoundPage';
import { RouteError } from './RouteError';
import { dataRoutes } from './routes-data';
import { outsideRoutes } from './routes-outside';
import { peopleRoutes } from './routes-people';

const indexRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/',
  component: lazyRouteComponent(() => import('~/features/home/HomePage'), 'HomePage'),
});

// Outside the shell --------------------------------------------------------------------------------

const nextPage = (search: Record<string, unknown>): { next?: string } => {
  // Only a path of this site: an address from outside must not be able to name another one.
  const next = typeof search.next === 'string' && /^\/(?![/\\])/.test(search.next) ? search.next : undefined;
  // Said even when it is nothing: what a route does not name of the address is passed on as it is.
  return { next };
};

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: nextPage,
  component: lazyRouteComponent(() => import('~/features/auth/LoginPage'), 'LoginPage'),
});

export const registerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/register',
  validateSearch: nextPage,
  component: lazyRouteComponent(() => import('~/features/auth/RegisterPage'), 'RegisterPage'),
});

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  component: lazyRouteComponent(() => import('~/features/setup/SetupPage'), 'SetupPage'),
});

// Inside the shell ---------------------------------------------------------------------------------

const promptListRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/prompts',
  validateSearch: parseListSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ deps }) => void queryClient.prefetchQuery(promptListQuery({ ...toFilters(deps), page: 1 })),
  component: lazyRouteComponent(() => import('~/features/prompts/ListPage'), 'ListPage'),
});

const newPromptRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/prompts/new',
  validateSearch: parseNewSearch,
  component: lazyRouteComponent(() => import('~/features/prompts/CreatePage'), 'CreatePage'),
});

const binRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/prompts/bin',
  component: lazyRouteComponent(() => import('~/features/prompts/BinPage'), 'BinPage'),
});

const tagsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/tags',
  validateSearch: parseTagsSearch,
  component: lazyRouteComponent(() => import('~/features/tags/TagsPage'), 'TagsPage'),
});

const clientsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/clients',
  validateSearch: parseClientsSearch,
  loader: () => void queryClient.prefetchQuery(clientsQuery(false)),
  component: lazyRouteComponent(() => import('~/features/clients/ClientsPage'), 'ClientsPage'),
});

const labelsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/labels',
  loader: () => void queryClient.prefetchQuery(labelsQuery),
  component: lazyRouteComponent(() => import('~/features/labels/LabelsPage'), 'LabelsPage'),
});

const apiKeysRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/api-keys',
  component: lazyRouteComponent(() => import('~/features/api-keys/ApiKeysPage'), 'ApiKeysPage'),
});

const accountRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/account',
  component: lazyRouteComponent(() => import('~/features/account/AccountPage'), 'AccountPage'),
});

const routeTree = rootRoute.addChildren([
  loginRoute,
  registerRoute,
  setupRoute,
  ...outsideRoutes,
  appRoute.addChildren([
    indexRoute,
    promptListRoute,
    newPromptRoute,
    binRoute,
    tagsRoute,
    promptRoutes,
    clientsRoute,
    labelsRoute,
    apiKeysRoute,
    accountRoute,
    ...dataRoutes,
    ...peopleRoutes,
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultPreloadDelay: 60,
  // Freshness is the query cache's business.
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: RouteError,
  defaultNotFoundComponent: NotFoundPage,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
