import { expect, test } from 'vitest';
import { columnsOf } from './columns';

test.each([
  ['title,content\nA,B', ['title', 'content']],
  ['\uFEFFName;Text; Tags\r\n1;2;3', ['Name', 'Text', 'Tags']],
  ['"a, b","say ""hi""",c', ['a, b', 'say "hi"', 'c']],
  ['"two\nlines",x\n', ['two\nlines', 'x']],
  ['one\ttwo', ['one', 'two']],
  ['same,same,,other', ['same', 'other']],
  ['', []],
])('%j', (text, names) => {
  expect(columnsOf(text)).toEqual(names);
});
