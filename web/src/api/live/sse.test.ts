import { expect, test } from 'vitest';
import { StreamReader } from './sse';

const text = 'event: hello\nid: 4\ndata: {"revision":4}\n\n: ping\n\nevent: changed\r\nid: 5\r\ndata: a\r\ndata:b\r\n\r\nunknown\n\n';
const expected = [
  { event: 'hello', id: '4', data: '{"revision":4}' },
  { event: null, id: null, data: 'ping' },
  { event: 'changed', id: '5', data: 'a\nb' },
];

test('a stream reads the same wherever it is cut', () => {
  for (const size of [1, 2, 3, 7, text.length]) {
    const reader = new StreamReader();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...reader.read(text.slice(at, at + size)));
    expect(found).toEqual(expected);
  }
});
