import { EditorState } from '@codemirror/state';
import { describe, expect, it } from 'vitest';
import type { Syntax } from '~/api/types';
import { isNaming } from './eager-accept';
import { templateContext } from './language';

/** An editor whose caret stands at `‸`. */
function at(text: string, syntax: Syntax): EditorState {
  const caret = text.indexOf('‸');
  return EditorState.create({
    doc: text.replace('‸', ''),
    selection: { anchor: caret },
    extensions: templateContext.of({ syntax, variables: new Map() }),
  });
}

describe('where Enter means a proposal', () => {
  it.each<[string, Syntax]>([
    ['Hello {{‸', 'simple'],
    ['Hello {{ na‸ }}', 'simple'],
    ['One\n{{ na‸', 'jinja'],
    ['{% include "wel‸" %}', 'jinja'],
    ["{%- include 'wel‸", 'jinja'],
  ])('is in %s (%s)', (text, syntax) => expect(isNaming(at(text, syntax))).toBe(true));

  it.each<[string, Syntax]>([
    ['Hello‸', 'simple'],
    ['Hello {{ name }}‸', 'simple'],
    ['{{ one }}\ntwo‸', 'jinja'],
    ['{% include "wel" %}‸', 'jinja'],
    ['{% include "wel‸', 'simple'],
    ['{{ na‸', 'none'],
  ])('is not in %s (%s)', (text, syntax) => expect(isNaming(at(text, syntax))).toBe(false));
});
