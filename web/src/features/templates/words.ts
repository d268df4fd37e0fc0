import type { Syntax, VariableType } from '~/api/types';

/** The kinds of values in the words of someone who does not code. */
export const TYPE_WORDS: Record<VariableType, string> = {
  string: 'Text',
  integer: 'Whole number',
  number: 'Number',
  boolean: 'Yes or no',
  array: 'List',
  object: 'Object',
  any: 'Anything',
};

export interface SyntaxWords {
  name: string;
  short: string;
  text: string;
}

/** What each syntax does, as an author needs to know it. */
export const SYNTAX_WORDS: Record<Syntax, SyntaxWords> = {
  simple: {
    name: 'Simple',
    short: '{{ name }} is filled in, nothing else',
    text: 'Only {{ name }} and {{ order.total }} are filled in. Every other brace, JSON or formula stays exactly as written.',
  },
  jinja: {
    name: 'Jinja',
    short: 'conditions, loops, filters and snippets',
    text: 'For texts with conditions, loops and filters, such as {% if vip %}…{% endif %}, and for {% include "snippet" %}.',
  },
  none: {
    name: 'Plain',
    short: 'nothing is filled in',
    text: 'The text is delivered exactly as written. Double braces mean nothing.',
  },
};
