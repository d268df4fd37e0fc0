import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { precompress } from './scripts/precompress.ts';

const api = process.env.XR2_DEV_API ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react(), precompress()],
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } },
  // The server replaces this word with a fresh nonce in every answer.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 700,
    // An inlined asset is a data: URL, which the policy allows for images only.
    assetsInlineLimit: 0,
  },
  server: {
    // Not '/api': that would take the page /api-keys as well.
    proxy: { '/api/': api, '/docs': api, '/openapi.json': api },
  },
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node' },
});
