import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { MergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import { nonce } from '~/app/nonce';
import { editorTheme } from '~/features/templates/theme';
import classes from './MergeDialog.module.css';

export interface MergeHandle {
  text: () => string;
}

interface Props {
  theirs: string;
  mine: string;
  theirName: string;
  onTouched: () => void;
  ref?: Ref<MergeHandle>;
}

const mergeTheme = EditorView.theme({
  '&.cm-merge-a .cm-changedLine': { backgroundColor: 'var(--xr-delete)' },
  '&.cm-merge-b .cm-changedLine': { backgroundColor: 'var(--xr-insert)' },
  '&.cm-merge-a .cm-changedText': { background: 'var(--xr-delete-strong)' },
  '&.cm-merge-b .cm-changedText': { background: 'var(--xr-insert-strong)' },
  '.cm-collapsedLines': { background: 'var(--xr-sunken)', color: 'var(--xr-dimmed)', padding: '2px 8px' },
});

const shared = [EditorView.cspNonce.of(nonce), EditorView.lineWrapping, editorTheme, mergeTheme];

/** Their text at the left to read, one's own at the right to edit. */
export default function MergeEditor({ theirs, mine, theirName, onTouched, ref }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<MergeView>(null);
  const touched = useRef(onTouched);
  useEffect(() => {
    touched.current = onTouched;
  });

  useEffect(() => {
    const merge = new MergeView({
      parent: host.current!,
      a: {
        doc: theirs,
        extensions: [
          shared,
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ 'aria-label': theirName, tabindex: '0' }),
        ],
      },
      b: {
        doc: mine,
        extensions: [
          shared,
          history(),
          keymap.of([...defaultKeymap.filter((binding) => binding.key !== 'Mod-Enter'), ...historyKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': 'Yours' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) touched.current();
          }),
        ],
      },
      revertControls: 'a-to-b',
      renderRevertControl: bringOver,
      collapseUnchanged: { margin: 3, minSize: 6 },
      gutter: false,
    });
    view.current = merge;
    return () => {
      view.current = null;
      merge.destroy();
    };
  }, [theirs, mine, theirName]);

  useImperativeHandle(ref, () => ({ text: () => view.current?.b.state.doc.toString() ?? mine }));
  return <div ref={host} className={classes.merge} />;
}

function bringOver(): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = '→';
  button.setAttribute('aria-label', 'Bring this part over');
  button.title = 'Bring this part over';
  return button;
}
