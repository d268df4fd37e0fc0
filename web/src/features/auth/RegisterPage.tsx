import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, useRouter, useSearch } from '@tanstack/react-router';
import { authStatusQuery } from '~/api/account';
import { AccountForm } from './AccountForm';
import { AuthLayout } from './AuthLayout';

export function RegisterPage() {
  const { next } = useSearch({ from: '/register' });
  const router = useRouter();
  const { data: status } = useQuery(authStatusQuery);
  const signIn = (
    <>
      Have an account? <Link to="/login" search={next ? { next } : {}}>Sign in</Link>
    </>
  );

  if (status?.setup_required) return <Navigate to="/setup" replace />;
  if (status && status.registration !== 'open') {
    return (
      <AuthLayout
        title="Accounts are made by invitation"
        lead="This server does not let people sign up by themselves. Ask a member of your team, or whoever runs the server, for an invitation."
        foot={signIn}
      />
    );
  }
  return (
    <AuthLayout title="Make your account" lead="You get a workspace of your own to start in." foot={signIn}>
      <AccountForm submit="Make account" onDone={() => router.history.push(next ?? '/')} />
    </AuthLayout>
  );
}
