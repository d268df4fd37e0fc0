import { expect, test } from 'vitest';
import { fromFirstMatch } from './highlight';

const text = (words: string, match = false) => ({ text: words, match });

test('begins shortly before the first match, and leaves short texts as they are', () => {
  expect(fromFirstMatch([text('Dear customer, we thank you for your '), text('order', true), text('.')])).toEqual([
    text('…you for your '),
    text('order', true),
    text('.'),
  ]);
  expect(fromFirstMatch([text('Your '), text('order', true)])).toEqual([text('Your '), text('order', true)]);
  expect(fromFirstMatch([text('Order', true), text(' now')])[0]).toEqual(text('Order', true));
  expect(fromFirstMatch([text('Nothing of this was looked for at all')])).toHaveLength(1);
});
