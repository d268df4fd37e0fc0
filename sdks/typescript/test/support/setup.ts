import { afterEach, beforeEach } from "node:test";
// The entry for Node, as `import "xr2"` gives it there.
import { Xr2, type Xr2Options } from "../../src/index.node.js";
import { KEY, TestServer } from "./server.js";

/** Short clocks, so that a test waits for conditions in milliseconds and never for a real minute. */
export const FAST = {
  retryDelay: 5,
  retryAfterFailure: 100,
  streamRetry: 10,
  streamRetryMax: 50,
  resyncJitter: 10,
  // Polls that nobody asked for are for the tests that are about them.
  pollEvery: 600_000,
};

/** A fresh server for every test of a file, and clients that are closed after it. */
export function useServer(more: Partial<Pick<TestServer, "modern">> = {}): {
  readonly server: TestServer;
  client(options?: Xr2Options): Xr2;
  closeClients(): Promise<void>;
} {
  const clients: Xr2[] = [];
  let made = 0;
  const context = {
    server: undefined as unknown as TestServer,
    client(options: Xr2Options = {}): Xr2 {
      const { timing, ...rest } = options;
      // A name of its own keeps it from sharing another client's memory.
      const instance = `test-${(made += 1)}`;
      const base = { apiKey: KEY, url: context.server.url, instance };
      const client = new Xr2({ ...base, ...rest, timing: { ...FAST, ...timing } });
      clients.push(client);
      return client;
    },
    /** For a test that takes away what open clients still write to. */
    async closeClients(): Promise<void> {
      for (const client of clients.splice(0)) await client.close();
    },
  };
  beforeEach(async () => {
    context.server = await Object.assign(new TestServer(), more).start();
  });
  afterEach(async () => {
    await context.closeClients();
    await context.server.stop();
  });
  return context;
}
