import { Facet, type Extension, type Range, StateField, type Text } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  type EditorView,
  hoverTooltip,
  type Tooltip,
  ViewPlugin,
  type ViewUpdate,
} from '@codemirror/view';
import type { Syntax, Variable } from '~/api/types';
import { TYPE_WORDS } from './words';
import { scan, type Token } from './scan';

/** What the editor knows of a variable: its contract, and whether the author has declared it. */
export interface KnownVariable extends Variable {
  declared: boolean;
}

export interface TemplateContext {
  syntax: Syntax;
  variables: ReadonlyMap<string, KnownVariable>;
}

const empty: TemplateContext = { syntax: 'none', variables: new Map() };

/** Syntax and known variables, given to the editor from outside; reconfigured when they change. */
export const templateContext = Facet.define<TemplateContext, TemplateContext>({
  combine: (values) => values[0] ?? empty,
});

interface Scanned {
  doc: Text;
  syntax: Syntax;
  tokens: Token[];
}

const scanned = StateField.define<Scanned>({
  create: (state) => read(state.doc, state.facet(templateContext).syntax),
  update(value, { state }) {
    const { syntax } = state.facet(templateContext);
    return value.doc === state.doc && value.syntax === syntax ? value : read(state.doc, syntax);
  },
});

function read(doc: Text, syntax: Syntax): Scanned {
  return { doc, syntax, tokens: scan(doc.toString(), syntax) };
}

const styles = Object.fromEntries(
  (
    ['delimiter', 'path', 'local', 'keyword', 'filter', 'string', 'number', 'operator', 'comment', 'include'] as const
  ).map((kind) => [kind, Decoration.mark({ class: `tpl-${kind}` })]),
);
const chip = Decoration.mark({ class: 'tpl-chip' });
const tag = Decoration.mark({ class: 'tpl-tag' });
const known = Decoration.mark({ class: 'tpl-variable' });
const unknown = Decoration.mark({ class: 'tpl-variable tpl-undeclared' });

function decorate(view: EditorView): DecorationSet {
  const { tokens } = view.state.field(scanned);
  const { variables } = view.state.facet(templateContext);
  const text = view.state.doc;
  const ranges: Range<Decoration>[] = [];
  for (const { from, to } of view.visibleRanges) {
    let open: Token | null = null;
    for (const token of tokens) {
      if (token.from > to) break;
      if (token.kind === 'delimiter') {
        const isOpening: boolean = text.sliceString(token.from, token.from + 1) === '{';
        if (!isOpening && open && token.to >= from) {
          const style = text.sliceString(open.from, open.to) === '{{' ? chip : tag;
          ranges.push(style.range(open.from, token.to));
        }
        open = isOpening ? token : null;
      }
      if (token.to < from) continue;
      ranges.push(styleOf(token, variables).range(token.from, token.to));
    }
  }
  return Decoration.set(ranges, true);
}

function styleOf(token: Token, variables: TemplateContext['variables']): Decoration {
  if (token.kind !== 'variable') return styles[token.kind]!;
  return variables.get(token.name ?? '')?.declared ? known : unknown;
}

const highlighter = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = decorate(view);
    }
    update(update: ViewUpdate) {
      const changed = update.startState.facet(templateContext) !== update.state.facet(templateContext);
      if (update.docChanged || update.viewportChanged || changed) this.decorations = decorate(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

/** What a variable is, when the pointer rests on it. */
const explainVariable = hoverTooltip((view, position): Tooltip | null => {
  const token = view.state
    .field(scanned)
    .tokens.find((t) => t.kind === 'variable' && t.from <= position && position <= t.to);
  if (!token?.name) return null;
  const variable = view.state.facet(templateContext).variables.get(token.name);
  return { pos: token.from, end: token.to, above: true, create: () => ({ dom: variableCard(token.name!, variable) }) };
});

/** The few lines about a variable, for the tooltip and for the completion list. */
export function variableCard(name: string, variable: KnownVariable | undefined): HTMLElement {
  const card = document.createElement('div');
  card.className = 'tpl-card';
  const line = (className: string, text: string) => {
    const element = document.createElement('div');
    element.className = className;
    element.textContent = text;
    card.append(element);
  };
  line('tpl-card-name', name);
  if (!variable?.declared) {
    line(
      'tpl-card-note',
      'Used in the text, not described yet. Add it under Variables to give it a type and a sample.',
    );
    return card;
  }
  line('tpl-card-type', `${TYPE_WORDS[variable.type]}, ${variable.required ? 'required' : 'optional'}`);
  if (variable.description) line('tpl-card-note', variable.description);
  return card;
}

/** Colours, marks and hover cards of xr2 templates. */
export const templateLanguage: Extension = [scanned, highlighter, explainVariable];
