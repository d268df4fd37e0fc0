import { createRootRoute, createRoute, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { authStatusQuery, meQuery, pickWorkspace } from '~/api/account';
import { ApiError, setWorkspace } from '~/api/client';
import { queryClient } from '~/api/query-client';
import { LostPage } from './NotFoundPage';
import { RouteError } from './RouteError';

export const rootRoute = createRootRoute({
  component: Outlet,
  errorComponent: RouteError,
  notFoundComponent: LostPage,
});

/** Sends who is not signed in to the right door, and remembers where they wanted to go. */
async function requireSession(href: string) {
  try {
    const me = await queryClient.ensureQueryData(meQuery);
    const workspace = pickWorkspace(me.workspaces);
    setWorkspace(workspace?.id ?? null);
    return { workspace };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    const status = await queryClient.ensureQueryData(authStatusQuery);
    if (status.setup_required) throw redirect({ to: '/setup' });
    throw redirect({ to: '/login', search: href === '/' ? {} : { next: href } });
  }
}

/** Everything behind the sign-in, inside the shell with the sidebar. */
export const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  beforeLoad: ({ location }) => requireSession(location.href),
  component: lazyRouteComponent(() => import('./shell/Shell'), 'Shell'),
});
