import { closeBrackets, closeBracketsKeymap, completionKeymap, acceptCompletion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { setDiagnostics } from '@codemirror/lint';
import { search, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder as placeholderText } from '@codemirror/view';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import type { Syntax, TemplateProblem } from '~/api/types';
import { nonce } from '~/app/nonce';
import { type FindSnippets, templateCompletion } from './complete';
import classes from './TemplateEditor.module.css';
import { type KnownVariable, templateContext, templateLanguage } from './language';
import { offsetOf, toDiagnostics } from './problems';
import { editorTheme } from './theme';

export interface TemplateEditorHandle {
  focus: () => void;
  /** Puts the caret at a 1-based line and column and brings it into view. */
  jumpTo: (line: number, column: number) => void;
}

interface Props {
  value: string;
  onChange: (value: string) => void;
  syntax: Syntax;
  variables: ReadonlyMap<string, KnownVariable>;
  problems?: TemplateProblem[];
  /** The accessible name. */
  label: string;
  describedBy?: string;
  /** Given to the editable element, so that scripts and password managers' kin find it. */
  name?: string;
  placeholder?: string;
  readOnly?: boolean;
  minLines?: number;
  autoFocus?: boolean;
  findSnippets: FindSnippets;
  ref?: Ref<TemplateEditorHandle>;
}

/** Marks a change that came from outside, so that it is not reported back. */
const fromOutside = Annotation.define<boolean>();

/** ⌘⏎ publishes; everything else of the usual keys stays. Tab is not bound: it moves on, as everywhere. */
const keys = [
  { key: 'Tab', run: acceptCompletion },
  ...closeBracketsKeymap,
  ...defaultKeymap.filter((binding) => binding.key !== 'Mod-Enter'),
  ...historyKeymap,
  ...searchKeymap.filter(
    (binding) => binding.key === 'Mod-f' || binding.key === 'F3' || binding.key === 'Mod-g' || binding.key === 'Escape',
  ),
  ...completionKeymap,
];

/** An editor for one template text: as high as its text, with wrapped lines. */
export function TemplateEditor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  const parts = useRef({ context: new Compartment(), editable: new Compartment(), attributes: new Compartment() });

  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const { current: first } = latest;
    const { context, editable, attributes } = parts.current;
    const editor = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: first.value,
        extensions: [
          fixed,
          templateCompletion((text, signal) => latest.current.findSnippets(text, signal)),
          placeholderText(first.placeholder ?? ''),
          context.of(templateContext.of({ syntax: first.syntax, variables: first.variables })),
          editable.of(editing(first.readOnly)),
          attributes.of(attributesOf(first)),
          EditorView.updateListener.of((update) => {
            const own = update.transactions.some((t) => t.docChanged && !t.annotation(fromOutside));
            if (own) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    if (first.autoFocus) editor.focus();
    return () => {
      view.current = null;
      editor.destroy();
    };
  }, []);

  const { value, syntax, variables, problems, readOnly, label, describedBy, name } = props;

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const now = editor.state.doc.toString();
    if (now === value) return;
    editor.dispatch({ changes: smallestChange(now, value), annotations: fromOutside.of(true) });
  }, [value]);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.context.reconfigure(templateContext.of({ syntax, variables })) });
  }, [syntax, variables]);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.editable.reconfigure(editing(readOnly)) });
  }, [readOnly]);

  useEffect(() => {
    view.current?.dispatch({
      effects: parts.current.attributes.reconfigure(attributesOf({ label, describedBy, name, readOnly })),
    });
  }, [label, describedBy, name, readOnly]);

  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, toDiagnostics(editor.state.doc, problems ?? [])));
  }, [problems]);

  useImperativeHandle(props.ref, () => ({
    focus: () => view.current?.focus(),
    jumpTo: (line, column) => {
      const editor = view.current;
      if (!editor) return;
      const anchor = offsetOf(editor.state.doc, line, column);
      editor.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
      editor.focus();
    },
  }));

  const minHeight = `${(props.minLines ?? 3) * 1.65 * 0.875 + 1.5}rem`;
  return (
    <div
      ref={host}
      className={classes.host}
      data-readonly={readOnly || undefined}
      style={{ '--editor-min-height': minHeight } as React.CSSProperties}
    />
  );
}

const fixed: Extension = [
  EditorView.cspNonce.of(nonce),
  history(),
  drawSelection(),
  closeBrackets(),
  search({ top: true }),
  EditorState.languageData.of(() => [{ closeBrackets: { brackets: ['{'] } }]),
  EditorView.lineWrapping,
  keymap.of(keys),
  templateLanguage,
  editorTheme,
];

function editing(readOnly: boolean | undefined): Extension {
  return [EditorState.readOnly.of(readOnly === true), EditorView.editable.of(readOnly !== true)];
}

function attributesOf({
  label,
  describedBy,
  name,
  readOnly,
}: Pick<Props, 'label' | 'describedBy' | 'name' | 'readOnly'>): Extension {
  const attributes: Record<string, string> = { 'aria-label': label, spellcheck: 'true', autocapitalize: 'sentences' };
  if (describedBy) attributes['aria-describedby'] = describedBy;
  if (name) attributes.name = name;
  // A text that cannot be typed into must still be reachable by keyboard, to be read and scrolled.
  if (readOnly) Object.assign(attributes, { tabindex: '0', 'aria-readonly': 'true' });
  return EditorView.contentAttributes.of(attributes);
}

/** Replaces only what differs, so that the caret and the scroll position survive. */
function smallestChange(before: string, after: string): { from: number; to: number; insert: string } {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from++;
  let same = 0;
  while (same < shorter - from && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}
