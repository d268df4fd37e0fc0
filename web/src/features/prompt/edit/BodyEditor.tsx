import { type Ref, useCallback, useId, useImperativeHandle, useMemo, useRef } from 'react';
import type { PreviewProblem } from '~/api/types';
import type { KnownVariable } from '~/features/templates/language';
import { TemplateEditor, type TemplateEditorHandle } from '~/features/templates/TemplateEditor';
import { useBody, usePrompt } from '../PromptContext';
import { findSnippets } from '../queries';
import classes from './BodyEditor.module.css';
import { ChatEditor } from './ChatEditor';

export interface BodyEditorHandle {
  focus: () => void;
  jumpTo: (problem: PreviewProblem) => void;
}

interface Props {
  variables: ReadonlyMap<string, KnownVariable>;
  problems: PreviewProblem[];
  ref?: Ref<BodyEditorHandle>;
}

/** Which editor a problem belongs to. */
export const partKey = (message: number | undefined, part: number | undefined) => `${message ?? 0}.${part ?? 0}`;

/** The text or the messages. */
export function BodyEditor({ variables, problems, ref }: Props) {
  const { session, readOnly } = usePrompt();
  const body = useBody();
  const editors = useRef(new Map<string, TemplateEditorHandle>());
  const hint = useId();

  const register = useCallback((key: string, editor: TemplateEditorHandle | null) => {
    if (editor) editors.current.set(key, editor);
    else editors.current.delete(key);
  }, []);

  useImperativeHandle(ref, () => ({
    focus: () => editors.current.get('0.0')?.focus(),
    jumpTo: (problem) =>
      editors.current.get(partKey(problem.message_index, problem.part_index))?.jumpTo(problem.line, problem.column),
  }));

  const inText = useMemo(() => problems.filter((p) => p.line > 0), [problems]);
  const registerText = useCallback((editor: TemplateEditorHandle | null) => register('0.0', editor), [register]);

  return (
    <div>
      {body.type === 'text' ? (
        <TemplateEditor
          ref={registerText}
          name="content"
          label="Prompt text"
          describedBy={hint}
          value={body.content}
          onChange={(content) => session.update((old) => ({ ...old, content }))}
          syntax={body.syntax}
          variables={variables}
          problems={inText}
          readOnly={readOnly !== null}
          minLines={14}
          placeholder={
            body.syntax === 'none'
              ? 'Write the prompt here.'
              : 'Write the prompt here. Type {{ where something is filled in.'
          }
          findSnippets={findSnippets}
        />
      ) : (
        <ChatEditor variables={variables} problems={inText} register={register} hint={hint} />
      )}
      <p id={hint} className={classes.hint}>
        {readOnly ? 'Read-only.' : 'Type {{ to insert a variable. Tab leaves the editor.'}
      </p>
    </div>
  );
}
