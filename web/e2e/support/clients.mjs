import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { api, raw } from './api.mjs';

/** Milliseconds; an SDK takes 30 seconds, and a server waits for somewhat longer than that. */
const REPORTS_EVERY = 300;

let key;

/** A key for programs, made once for the run. */
function programKey() {
  key ??= api('POST', '/api-keys', { name: 'Running programs', scopes: ['deliver'] }).then((made) => made.key);
  return key;
}

/** A program that tells the server, as an SDK does, which versions it has in memory. */
export class Program {
  constructor(slug, { label = 'production', stream = true, sdk = 'python/0.1.0', name = randomUUID() } = {}) {
    this.slug = slug;
    this.label = label;
    this.stream = stream;
    this.sdk = sdk;
    this.name = name;
  }

  /** Says that it serves this version from now on, and reads it. */
  async has(version, revision = 1_000_000) {
    const at = new Date().toISOString();
    const { slug: prompt, label, name: instance, sdk, stream } = this;
    const event = { id: randomUUID(), type: 'delivery', prompt, version, label, at, count: 3 };
    const body = { instance, sdk, stream, revision, serving: [{ prompt, label, version, since: at }], events: [event] };
    const answer = await raw('POST', '/telemetry', { body, token: await programKey() });
    if (answer.status !== 202) throw new Error(`telemetry: ${answer.status} ${await answer.text()}`);
  }

  /** Says so, and goes on saying so as a program does that runs, until it stops. */
  async runs(version) {
    this.version = version;
    await this.has(version);
    this.going ??= this.goOn();
  }

  async goOn() {
    while (this.version !== undefined) {
      await this.has(this.version);
      await pause(REPORTS_EVERY);
    }
  }

  /** Nothing is heard of it from now on. */
  async stops() {
    this.version = undefined;
    await this.going;
  }
}
