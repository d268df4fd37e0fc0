import { useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { meQuery, useMe } from '~/api/account';
import { api } from '~/api/client';
import type { User } from '~/api/types';
import { notifyError } from '~/ui/notify';

export type Scheme = 'light' | 'dark' | 'auto';

export const schemes: { value: Scheme; label: string }[] = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'auto', label: 'Like the system' },
];

/** Light or dark: at once in this browser, and remembered with the account for the next one. */
export function useAppearance() {
  const queryClient = useQueryClient();
  const { user } = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();

  async function choose(scheme: Scheme) {
    setColorScheme(scheme);
    try {
      const preferences = { ...user?.preferences, color_scheme: scheme };
      const answer = await api.put<{ user: User }>('/auth/me', { preferences });
      queryClient.setQueryData(meQuery.queryKey, (me) => me && { ...me, user: answer.user });
    } catch (error) {
      notifyError(error, 'The choice holds in this browser, but was not kept with your account');
    }
  }

  return { scheme: colorScheme as Scheme, choose };
}

/** In a browser where nothing was chosen yet, follows what the account remembers. */
export function useRememberedAppearance(): void {
  const { user } = useMe();
  const { setColorScheme } = useMantineColorScheme();
  const remembered = user?.preferences.color_scheme;
  useEffect(() => {
    try {
      if (remembered && localStorage.getItem('xr2-color-scheme') === null) setColorScheme(remembered);
    } catch {
      // Storage is blocked: the system's preference stays.
    }
  }, [remembered, setColorScheme]);
}
