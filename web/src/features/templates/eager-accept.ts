import { acceptCompletion, completionStatus } from '@codemirror/autocomplete';
import { type EditorState, type Extension, Prec } from '@codemirror/state';
import { type EditorView, keymap, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { templateContext } from './language';

/** Text before the caret in which a name is being written: Enter can only mean "take it", never a new line. */
const VARIABLE = /\{\{[ \t]*[A-Za-z0-9_]*$/;
const SNIPPET = /\{%-?\s*include\s+["'][a-z0-9_-]*$/;

/** Whether a name is being written at the caret, for which a list of proposals may be on its way. */
export function isNaming(state: EditorState): boolean {
  const { syntax } = state.facet(templateContext);
  if (syntax === 'none') return false;
  const { main } = state.selection;
  if (!main.empty) return false;
  const before = state.sliceDoc(state.doc.lineAt(main.head).from, main.head);
  return VARIABLE.test(before) || (syntax === 'jinja' && SNIPPET.test(before));
}

/** Accepts as soon as the proposals are there, unless something else happens in the text before. */
const waiting = ViewPlugin.fromClass(
  class {
    wanted = false;

    update({ docChanged, selectionSet, state, view }: ViewUpdate): void {
      if (docChanged || selectionSet) this.wanted = false;
      if (!this.wanted || completionStatus(state) === 'pending') return;
      this.wanted = false;
      // An update must not begin another one.
      queueMicrotask(() => acceptCompletion(view));
    }
  },
);

/**
 * Keeps Enter or Tab for the list that is on its way. People who know what they want do not wait for it; without
 * this their Enter broke the line inside the braces, and their Tab left the editor.
 */
function acceptWhenThere(view: EditorView): boolean {
  if (completionStatus(view.state) !== 'pending' || !isNaming(view.state)) return false;
  const plugin = view.plugin(waiting);
  if (plugin) plugin.wanted = true;
  return plugin !== null;
}

export const eagerAccept: Extension = [
  waiting,
  Prec.highest(
    keymap.of([
      { key: 'Enter', run: acceptWhenThere },
      { key: 'Tab', run: acceptWhenThere },
    ]),
  ),
];
