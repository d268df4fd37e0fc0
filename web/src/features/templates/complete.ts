import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  snippetCompletion,
} from '@codemirror/autocomplete';
import type { Extension } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import { eagerAccept } from './eager-accept';
import { type KnownVariable, templateContext, variableCard } from './language';
import { TYPE_WORDS } from './words';

/** Finds the slugs of prompts that can be included. */
export type FindSnippets = (search: string, signal: AbortSignal) => Promise<{ slug: string; title: string }[]>;

const FILTERS: [string, string][] = [
  ['default("")', 'when it is missing'],
  ['upper', 'in capitals'],
  ['lower', 'in small letters'],
  ['title', 'Each Word Capital'],
  ['capitalize', 'first letter capital'],
  ['trim', 'without spaces around'],
  ['replace("a", "b")', 'one text for another'],
  ['join(", ")', 'a list as one text'],
  ['length', 'how many'],
  ['first', 'of a list'],
  ['last', 'of a list'],
  ['round', 'a number'],
  ['int', 'as a whole number'],
  ['float', 'as a number'],
  ['string', 'as text'],
  ['tojson', 'as JSON'],
  ['indent', 'further lines moved in'],
  ['list', 'as a list'],
  ['sort', 'in order'],
  ['unique', 'without repeats'],
  ['items', 'names and values'],
];

const BLOCKS: Completion[] = [
  snippetCompletion('{% if ${condition} %}${}{% endif %}', {
    label: '{% if %}',
    detail: 'only when something holds',
    type: 'keyword',
  }),
  snippetCompletion('{% for ${item} in ${items} %}${}{% endfor %}', {
    label: '{% for %}',
    detail: 'once for each',
    type: 'keyword',
  }),
  snippetCompletion('{% include "${slug}" %}', {
    label: '{% include %}',
    detail: 'another prompt’s text',
    type: 'keyword',
  }),
  snippetCompletion('{% raw %}${}{% endraw %}', { label: '{% raw %}', detail: 'exactly as written', type: 'keyword' }),
];

function completeVariable(context: CompletionContext): CompletionResult | null {
  const { syntax, variables } = context.state.facet(templateContext);
  if (syntax === 'none') return null;
  const before = context.matchBefore(/\{\{[ \t]*[A-Za-z0-9_]*$/) ?? (syntax === 'jinja' ? insideTag(context) : null);
  if (!before || variables.size === 0) return null;
  const word = /[A-Za-z0-9_]*$/.exec(before.text)?.[0] ?? '';
  const closes = before.text.startsWith('{{');
  return {
    from: context.pos - word.length,
    options: [...variables.values()].filter((v) => !isBeingTyped(v, word)).map((variable) => option(variable, closes)),
    validFor: /^[A-Za-z0-9_]*$/,
  };
}

/** What is being typed counts as found in the text already; it is no proposal for itself. */
function isBeingTyped({ name, declared }: KnownVariable, word: string): boolean {
  return !declared && word.startsWith(name);
}

/** A name after `{% if `, `{% elif ` or ` in `. */
function insideTag(context: CompletionContext) {
  return context.matchBefore(/\{%-?\s*(?:if|elif|for\s+\w+\s+in)\s+[A-Za-z0-9_]*$/);
}

function option(variable: KnownVariable, closes: boolean): Completion {
  return {
    label: variable.name,
    detail: variable.declared ? TYPE_WORDS[variable.type] : 'not described yet',
    type: 'variable',
    boost: variable.declared ? 1 : 0,
    info: () => variableCard(variable.name, variable),
    apply: closes ? (view, _, from, to) => insertName(view, variable.name, from, to) : variable.name,
  };
}

/** Puts the name in with one space on each side, and closes the braces unless they are closed already. */
function insertName(view: EditorView, name: string, from: number, to: number): void {
  const { doc } = view.state;
  const spaced = /\s/.test(doc.sliceString(from - 1, from));
  const after = doc.sliceString(to, to + 8);
  const closed = /^\s*\}\}/.exec(after);
  const insert = `${spaced ? '' : ' '}${name} }}`;
  const end = closed ? to + closed[0].length : to;
  view.dispatch({
    changes: { from, to: end, insert },
    selection: { anchor: from + insert.length },
    userEvent: 'input.complete',
  });
}

function completeFilter(context: CompletionContext): CompletionResult | null {
  if (context.state.facet(templateContext).syntax !== 'jinja') return null;
  const before = context.matchBefore(/\{[{%][^{}%]*\|\s*[a-z]*$/);
  if (!before) return null;
  const word = /[a-z]*$/.exec(before.text)?.[0] ?? '';
  return {
    from: context.pos - word.length,
    options: FILTERS.map(([label, detail]) => ({ label, detail, type: 'function' })),
    validFor: /^[a-z]*$/,
  };
}

function completeBlock(context: CompletionContext): CompletionResult | null {
  if (context.state.facet(templateContext).syntax !== 'jinja') return null;
  const before = context.matchBefore(/\{%[ \t]*[a-z]*$/);
  if (!before) return null;
  // The closing mark may have been typed or inserted already.
  const closed = /^\s*%?\}/.exec(context.state.sliceDoc(context.pos, context.pos + 4));
  return { from: before.from, to: context.pos + (closed?.[0].length ?? 0), options: BLOCKS, filter: false };
}

/** Puts the slug in and closes the quote and the tag, whatever of it stands there already. */
function insertSlug(view: EditorView, { label }: Completion, from: number, to: number): void {
  const line = view.state.doc.lineAt(to);
  const quote = view.state.sliceDoc(from - 1, from);
  const rest = /^["']?\s*-?%?\}?/.exec(line.text.slice(to - line.from))?.[0] ?? '';
  const insert = `${label}${quote} %}`;
  view.dispatch({
    changes: { from, to: to + rest.length, insert },
    selection: { anchor: from + insert.length },
    userEvent: 'input.complete',
  });
}

function completeInclude(find: FindSnippets) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    if (context.state.facet(templateContext).syntax !== 'jinja') return null;
    const before = context.matchBefore(/\{%-?\s*include\s+["'][a-z0-9_-]*$/);
    if (!before) return null;
    const word = /[a-z0-9_-]*$/.exec(before.text)?.[0] ?? '';
    const stop = new AbortController();
    context.addEventListener('abort', () => stop.abort());
    try {
      const found = await find(word, stop.signal);
      return {
        from: context.pos - word.length,
        options: found.map(({ slug, title }) => ({ label: slug, detail: title, type: 'text', apply: insertSlug })),
      };
    } catch {
      // Without the list one can still type the slug.
      return null;
    }
  };
}

/** Completion of variables, and in jinja of blocks, filters and snippets. */
export function templateCompletion(find: FindSnippets): Extension {
  return [
    autocompletion({
      override: [completeVariable, completeFilter, completeInclude(find), completeBlock],
      icons: false,
      activateOnTypingDelay: 0,
      // Proposals only open inside braces, where Enter means the proposal. The usual pause, in which a list that has
      // just opened lets Enter through as a new line, would break the line for everybody who types fast.
      interactionDelay: 0,
      tooltipClass: () => 'tpl-completion',
    }),
    eagerAccept,
  ];
}
