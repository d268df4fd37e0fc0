export interface Agent {
  kind: 'computer' | 'phone' | 'program';
  name: string;
}

const browsers: [RegExp, string][] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

const systems: [RegExp, string][] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** A browser's long signature in two words: "Firefox on Windows". */
export function describeAgent(signature: string | null): Agent {
  if (!signature) return { kind: 'program', name: 'Unknown program' };
  const browser = browsers.find(([pattern]) => pattern.test(signature))?.[1];
  const system = systems.find(([pattern]) => pattern.test(signature))?.[1];
  if (!browser) return { kind: 'program', name: signature.split(/[\s/]/)[0] || 'Unknown program' };
  const kind = /Mobile|iPhone|Android/.test(signature) ? 'phone' : 'computer';
  return { kind, name: system ? `${browser} on ${system}` : browser };
}
