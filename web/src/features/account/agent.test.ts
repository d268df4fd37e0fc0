import { expect, test } from 'vitest';
import { describeAgent } from './agent';

const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';

test.each([
  [chrome, 'computer', 'Chrome on Linux'],
  [`${chrome} Edg/156.0`, 'computer', 'Edge on Linux'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'computer', 'Firefox on Windows'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1',
    'phone',
    'Safari on iOS',
  ],
  ['curl/8.5.0', 'program', 'curl'],
  ['', 'program', 'Unknown program'],
  [null, 'program', 'Unknown program'],
])('%s', (signature, kind, name) => {
  expect(describeAgent(signature)).toEqual({ kind, name });
});
