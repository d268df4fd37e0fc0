import { SegmentedControl } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useCallback, useMemo, useRef, useState } from 'react';
import type { PreviewProblem } from '~/api/types';
import { SecretNotice } from '~/features/secrets/SecretNotice';
import { useShortcut } from '~/ui';
import { fromEdit, placeholdersOf, textsOf } from '../model/body';
import { useBody, usePrompt } from '../PromptContext';
import { BodyEditor, type BodyEditorHandle } from './BodyEditor';
import { ConfigPanel } from './ConfigPanel';
import classes from './EditTab.module.css';
import { PreviewPanel } from './PreviewPanel';
import { TestResult, useTest } from './TestResult';
import { Toolbar } from './Toolbar';
import { useKnownVariables } from './use-known-variables';
import { useLiveCheck } from './use-live-check';
import { VariablesPanel } from './VariablesPanel';

type Section = 'write' | 'variables' | 'preview';

/** Where a prompt is written: the text in the middle, its variables and its preview beside it. */
export function EditTab() {
  const { details, readOnly } = usePrompt();
  const edit = useBody();
  const body = useMemo(() => fromEdit(edit), [edit]);
  const check = useLiveCheck(details.slug, body);
  const use = useKnownVariables(body, check.compiled);
  const editor = useRef<BodyEditorHandle>(null);
  const test = useTest();
  const narrow = useMediaQuery('(max-width: 64em)', window.innerWidth <= 1024);
  const [section, setSection] = useState<Section>('write');

  useShortcut(
    { keys: 'e', description: 'Edit the text', group: 'Prompt' },
    () => editor.current?.focus(),
    readOnly === null,
  );

  const problems = check.preview?.problems ?? noProblems;
  const jump = useCallback((problem: PreviewProblem) => {
    setSection('write');
    // On a phone the editor is shown by this very click.
    requestAnimationFrame(() => editor.current?.jumpTo(problem));
  }, []);

  async function runTest() {
    setSection('preview');
    await test.run(check.values);
  }

  const shows = (which: Section) => !narrow || section === which;
  const wrong = problems.filter((p) => p.code === 'TEMPLATE_ERROR').length;
  return (
    <div className={classes.tab}>
      {readOnly && (
        <p className={classes.readOnly} role="note">
          {readOnly}
        </p>
      )}
      <Toolbar onTest={() => void runTest()} testing={test.running} />
      {narrow && (
        <SegmentedControl
          className={classes.switch}
          fullWidth
          aria-label="Show"
          value={section}
          onChange={(value) => setSection(value as Section)}
          data={[
            { value: 'write', label: 'Write' },
            { value: 'variables', label: `Variables${use.known.size > 0 ? ` (${use.known.size})` : ''}` },
            { value: 'preview', label: wrong > 0 ? `Preview (${wrong})` : 'Preview' },
          ]}
        />
      )}
      <div className={classes.columns}>
        <div className={classes.main} hidden={!shows('write')}>
          {!readOnly && <SecretNotice texts={textsOf(edit)} />}
          <BodyEditor ref={editor} variables={use.known} problems={problems} />
          <ConfigPanel />
        </div>
        <div className={classes.side}>
          <div
            className={classes.variables}
            tabIndex={narrow ? undefined : 0}
            role="group"
            aria-label="Variables of the prompt"
            hidden={!shows('variables')}
          >
            <VariablesPanel use={use} problems={problems} />
          </div>
          <div
            className={classes.preview}
            tabIndex={narrow ? undefined : 0}
            role="group"
            aria-label="Preview and test"
            hidden={!shows('preview')}
          >
            <TestResult test={test} />
            <PreviewPanel check={check} placeholders={placeholdersOf(body)} onJump={jump} />
          </div>
        </div>
      </div>
    </div>
  );
}

const noProblems: PreviewProblem[] = [];
