import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { queryClient } from '~/api/query-client';
import { nonce } from './nonce';
import { cssVariablesResolver, theme } from './theme';

/** The key that public/theme-init.js reads before the first paint. */
const colorSchemeManager = localStorageColorSchemeManager({ key: 'xr2-color-scheme' });

export function Providers({ children }: { children: ReactNode }) {
  return (
    <QueryClientProvider client={queryClient}>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariablesResolver}
        colorSchemeManager={colorSchemeManager}
        defaultColorScheme="auto"
        getStyleNonce={() => nonce}
      >
        {children}
      </MantineProvider>
    </QueryClientProvider>
  );
}
