import { randomUUID } from "node:crypto";

interface Environment {
  readonly url: string;
  readonly apiKey: string;
  readonly adminKey: string;
}

/** What tells us of the booted server; the test command sets one name or the other. */
const NAMES = {
  url: ["XR2_TEST_URL", "XR2_URL"],
  apiKey: ["XR2_TEST_API_KEY", "XR2_API_KEY"],
  adminKey: ["XR2_TEST_ADMIN_KEY", "XR2_ADMIN_API_KEY"],
} as const;

/** Where the booted server is. These tests never run against anything else, and never skip. */
export function environment(): Environment {
  const read = (names: readonly string[]): string => names.map((name) => process.env[name]).find(Boolean) ?? "";
  const missing = Object.values(NAMES).filter((names) => read(names) === "");
  if (missing.length > 0) {
    throw new Error(
      `The live tests need a running xr2 server: set ${missing.map(([name]) => name).join(", ")}. ` +
        "XR2_TEST_API_KEY may deliver, XR2_TEST_ADMIN_KEY may write, publish, delete and make keys.",
    );
  }
  return { url: read(NAMES.url).replace(/\/+$/, ""), apiKey: read(NAMES.apiKey), adminKey: read(NAMES.adminKey) };
}

type Json = Record<string, unknown>;

interface ServedBy {
  readonly counts: Readonly<Record<string, number>>;
  readonly instances: readonly {
    readonly instance: string;
    readonly stream: boolean;
    readonly serving: readonly { readonly version: number }[];
  }[];
}

interface Analytics {
  readonly deliveries: {
    readonly by_source: Readonly<Record<string, number>>;
    readonly response_time: { readonly p50: number | null };
  };
}

/** The other side of the loop: what a product owner does in the dashboard, over the API. */
export class Admin {
  readonly #url: string;
  readonly #key: string;
  readonly #made: string[] = [];

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /** Makes and publishes a prompt; returns its slug. */
  async create(prompt: Json): Promise<string> {
    const slug = `sdk-ts-${randomUUID().slice(0, 13)}`;
    const made = await this.#send("POST", "/prompts", { title: `SDK test ${slug}`, slug, ...prompt });
    this.#made.push(String(made["id"]));
    return slug;
  }

  /** Changes and publishes. */
  async update(slug: string, change: Json): Promise<void> {
    await this.#send("PUT", `/prompts/${slug}`, change);
  }

  async moveLabel(slug: string, label: string, version: number): Promise<void> {
    await this.#send("PUT", `/prompts/${slug}/labels/${label}`, { version });
  }

  async remove(slug: string): Promise<void> {
    await this.#send("DELETE", `/prompts/${slug}?force=true`);
  }

  render(slug: string, variables: Json, format?: string): Promise<Json> {
    return this.#send("POST", `/prompts/${slug}/render`, { variables, ...(format ? { format } : {}) });
  }

  async createKey(): Promise<{ id: string; key: string }> {
    const made = await this.#send("POST", "/api-keys", { name: `SDK test ${randomUUID()}`, scopes: ["deliver"] });
    return { id: String(made["id"]), key: String(made["key"]) };
  }

  async revokeKey(id: string): Promise<void> {
    await this.#send("DELETE", `/api-keys/${id}`);
  }

  /** Who serves a prompt by production. */
  async clients(slug: string): Promise<ServedBy> {
    return (await this.#send("GET", `/clients?prompt=${slug}&label=production`)) as unknown as ServedBy;
  }

  /** Reads that SDKs told of, and the milliseconds half of them took at most. */
  async reads(slug: string): Promise<{ sdk: number; p50: number | null }> {
    const { deliveries } = (await this.#send("GET", `/analytics/prompts/${slug}`)) as unknown as Analytics;
    return { sdk: deliveries.by_source["sdk"] ?? 0, p50: deliveries.response_time.p50 };
  }

  /** Removes what was made; what is gone already is fine. */
  async cleanUp(): Promise<void> {
    for (const id of this.#made.splice(0)) await this.remove(id).catch(() => undefined);
  }

  async #send(method: string, path: string, body?: Json): Promise<Json> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#key}`, "Content-Type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (JSON.parse(text) as { data: Json }).data;
  }
}
