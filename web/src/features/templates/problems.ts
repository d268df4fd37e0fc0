import type { Diagnostic } from '@codemirror/lint';
import type { Text } from '@codemirror/state';
import type { PreviewProblem, TemplateProblem } from '~/api/types';

/** The offset of a 1-based line and column; columns count characters, JavaScript counts halves of some. */
export function offsetOf(doc: Text, line: number, column: number): number {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  let offset = 0;
  for (const character of at.text) {
    if (column <= 1) break;
    offset += character.length;
    column -= 1;
  }
  return at.from + offset;
}

/** Problems of the live check as marks in the text. */
export function toDiagnostics(doc: Text, problems: (TemplateProblem | PreviewProblem)[]): Diagnostic[] {
  return problems
    .filter((problem) => problem.line > 0)
    .map((problem) => {
      const from = offsetOf(doc, problem.line, problem.column);
      const end = problem.end_line
        ? offsetOf(doc, problem.end_line, problem.end_column ?? problem.column + 1)
        : wordEnd(doc, from);
      const to = Math.min(Math.max(end, from + 1), doc.length);
      const severity = 'code' in problem && problem.code !== 'TEMPLATE_ERROR' ? 'warning' : 'error';
      return { from: Math.min(from, to), to, severity, message: problem.message } satisfies Diagnostic;
    })
    .sort((a, b) => a.from - b.from);
}

/** Without an end, the mark covers the word that begins there. */
function wordEnd(doc: Text, from: number): number {
  const line = doc.lineAt(from);
  const word = /^(\w+|\W)/.exec(line.text.slice(from - line.from));
  return from + (word?.[0].length ?? 1);
}
