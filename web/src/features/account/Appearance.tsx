import { SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { meQuery, useMe } from '~/api/account';
import { api } from '~/api/client';
import type { User } from '~/api/types';
import { notifyError } from '~/ui/notify';
import { Section } from './Section';

type Scheme = 'light' | 'dark' | 'auto';

/** Light or dark: at once in this browser, and remembered with the account. */
export function Appearance() {
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

  return (
    <Section title="Appearance">
      <div>
        <SegmentedControl
          aria-label="Colours"
          value={colorScheme}
          onChange={(value) => void choose(value as Scheme)}
          data={[
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
            { value: 'auto', label: 'Like the system' },
          ]}
        />
      </div>
    </Section>
  );
}
