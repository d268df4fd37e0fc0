import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from './app-route';

/** Pages for who is not signed in, reached by links out of e-mails and messages. */
const inviteRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/accept-invitation',
  component: lazyRouteComponent(() => import('~/features/auth/InvitePage'), 'InvitePage'),
});

const sharedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/preview',
  component: lazyRouteComponent(() => import('~/features/preview-links/SharedPage'), 'SharedPage'),
});

export const outsideRoutes = [inviteRoute, sharedRoute];
