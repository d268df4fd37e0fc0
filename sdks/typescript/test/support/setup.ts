import { afterEach, beforeEach } from "node:test";
// The entry for Node, as `import "xr2"` gives it there.
import { Xr2, type Xr2Options } from "../../src/index.node.js";
import { KEY, TestServer } from "./server.js";

/** Short clocks, so that a test waits for conditions in milliseconds and never for a real minute. */
export const FAST = { retryDelay: 5, streamRetry: 10, streamRetryMax: 50 };

/** A fresh server for every test of a file, and clients that are closed after it. */
export function useServer(): { readonly server: TestServer; client(options?: Xr2Options): Xr2 } {
  const clients: Xr2[] = [];
  const context = {
    server: undefined as unknown as TestServer,
    client(options: Xr2Options = {}): Xr2 {
      const { timing, ...rest } = options;
      const client = new Xr2({ apiKey: KEY, url: context.server.url, ...rest, timing: { ...FAST, ...timing } });
      clients.push(client);
      return client;
    },
  };
  beforeEach(async () => {
    context.server = await new TestServer().start();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await context.server.stop();
  });
  return context;
}
