import { lazy, Suspense, useEffect, useState } from 'react';
import { setUnauthenticatedHandler } from '~/api/client';

const SignInAgain = lazy(() => import('~/features/auth/SignInAgain'));

/** When the session ends while the dashboard is open, asks for the password in place: the page stays. */
export function SessionGuard() {
  const [ended, setEnded] = useState(false);
  useEffect(() => {
    setUnauthenticatedHandler(() => setEnded(true));
    return () => setUnauthenticatedHandler(() => {});
  }, []);
  if (!ended) return null;
  return (
    <Suspense>
      <SignInAgain onDone={() => setEnded(false)} />
    </Suspense>
  );
}
