/** Of the form below; a later one is another number. */
const FORMAT = 2;

interface Header {
  readonly xr2_snapshot: number;
  /** Which server's prompts these are. */
  readonly scope: string;
  /** HMAC-SHA-256 of the body under the API key, so that only who has the key can have written it. */
  readonly mac: string;
}

/** Text of two lines: a header, and the content as JSON. */
export async function seal(content: unknown, key: string, scope: string): Promise<string> {
  const body = JSON.stringify(content);
  const header: Header = { xr2_snapshot: FORMAT, scope, mac: toHex(await sign(key, scope, body)) };
  return `${JSON.stringify(header)}\n${body}\n`;
}

/** The content again; a text when it is not to be trusted, which says why. */
export async function unseal(text: string, key: string, scope: string): Promise<unknown> {
  const end = text.indexOf("\n");
  const header = readHeader(text.slice(0, Math.max(0, end)));
  if (!header) return "it is no snapshot of xr2, or of another version of it";
  if (header.scope !== scope) return "it is of another server";
  const body = text.slice(end + 1).replace(/\n$/, "");
  const mac = toHex(await sign(key, scope, body));
  if (mac !== header.mac) return "it was written with another key, is cut off, or was changed by somebody else";
  return JSON.parse(body);
}

function readHeader(line: string): Header | undefined {
  try {
    const header = JSON.parse(line) as Header | null;
    return header?.xr2_snapshot === FORMAT ? header : undefined;
  } catch {
    return undefined;
  }
}

/** A name for something that depends on the key and does not give it away. */
export async function nameFor(purpose: string, key: string, scope: string): Promise<string> {
  return `${purpose} ${toHex(await sign(key, scope, purpose))}`;
}

async function sign(key: string, scope: string, body: string): Promise<ArrayBuffer> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) throw new Error("a snapshot needs Web Crypto, which pages have on https and localhost only");
  const utf8 = new TextEncoder();
  const secret = await subtle.importKey("raw", utf8.encode(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return subtle.sign("HMAC", secret, utf8.encode(`xr2 snapshot ${FORMAT}\n${scope}\n${body}`));
}

function toHex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
