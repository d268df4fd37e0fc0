/** Something in a text that looks like a secret. The secret itself is never kept or shown. */
export interface Finding {
  /** What it looks like: "an AWS access key". */
  kind: string;
  /** How it begins, so that one finds it: "AKIA…". */
  begins: string;
}

/** Forms that nothing else has. Each begins where no longer word goes on. */
const forms: { kind: string; pattern: RegExp }[] = [
  { kind: 'an xr2 API key', pattern: /\bxr2_(?:pk_)?[A-Za-z0-9]{24,}/g },
  { kind: 'an AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { kind: 'a GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})/g },
  { kind: 'a GitLab token', pattern: /\bglpat-[A-Za-z0-9_-]{20,}/g },
  { kind: 'an Anthropic key', pattern: /\bsk-ant-[A-Za-z0-9_-]{20,}/g },
  { kind: 'an OpenAI key', pattern: /\bsk-(?!ant-)(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}/g },
  { kind: 'a Slack token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g },
  { kind: 'a Stripe key', pattern: /\b[rs]k_live_[A-Za-z0-9]{16,}/g },
  { kind: 'a Google API key', pattern: /\bAIza[A-Za-z0-9_-]{35}\b/g },
  { kind: 'a Hugging Face token', pattern: /\bhf_[A-Za-z0-9]{30,}/g },
  { kind: 'an npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { kind: 'a signed token (JWT)', pattern: /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g },
  { kind: 'a private key', pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/g },
  { kind: 'a password in an address', pattern: /\b[a-z][a-z0-9+.-]{1,12}:\/\/[^\s:@/{}]{1,64}:[^\s:@/{}]{3,128}@[^\s@]{1,255}/g },
];

/** A name that says what follows, such as `password = "…"`. */
const named = /\b(?:api[_-]?key|secret|passw(?:or)?d|access[_-]?token|auth[_-]?token|client[_-]?secret)["']?\s{0,3}[:=]\s{0,3}["']?([A-Za-z0-9+/_=.-]{16,200})/gi;

/** Bits of chance in each character: words have fewer than what a machine made up. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const looksMade = (text: string) => /\d/.test(text) && /[A-Za-z]/.test(text) && entropy(text) >= 3.5;

/** What in a text looks like a secret; nothing of it is sent anywhere. */
export function findSecrets(text: string): Finding[] {
  const found = new Map<string, Finding>();
  const note = (kind: string, secret: string) => {
    const begins = `${secret.slice(0, 4)}…`;
    found.set(`${kind} ${begins}`, { kind, begins });
  };
  for (const { kind, pattern } of forms) for (const [match] of text.matchAll(pattern)) note(kind, match);
  if (found.size === 0) {
    for (const [, value] of text.matchAll(named)) if (value && looksMade(value)) note('a password or key', value);
  }
  return [...found.values()];
}
