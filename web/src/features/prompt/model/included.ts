import type { PreviewVariable, PromptBody } from '~/api/types';
import { discover } from '~/features/templates/scan';
import { partsOf, placeholdersOf } from './body';

const INCLUDE = /\{%[-+]?\s*include\s/;

function texts(body: PromptBody): string[] {
  if (body.type === 'text') return [body.content ?? ''];
  return (body.messages ?? []).flatMap((m) => partsOf(m).flatMap((part) => (part.type === 'text' ? [part.text] : [])));
}

/** Names that the text itself uses, in order of first use. */
export function usedHere(body: PromptBody): string[] {
  const placeholders = placeholdersOf(body);
  const found = texts(body).flatMap((text) => discover(text, body.syntax));
  return [...new Set(found)].filter((name) => !placeholders.includes(name));
}

/**
 * Variables that included snippets use, which only the server sees; some of them may be described in the
 * prompt itself. Without an include in the text an answer about an older text must not bring names back.
 */
export function usedBySnippets(body: PromptBody, compiled: PreviewVariable[]): PreviewVariable[] {
  if (body.syntax !== 'jinja' || !texts(body).some((text) => INCLUDE.test(text))) return [];
  const here = new Set([...usedHere(body), ...placeholdersOf(body)]);
  return compiled.filter((variable) => variable.used && !here.has(variable.name));
}

/** Those of them that are described nowhere but in the snippets. */
export function fromSnippets(body: PromptBody, compiled: PreviewVariable[]): PreviewVariable[] {
  const own = new Set(body.variables.map((variable) => variable.name));
  return usedBySnippets(body, compiled).filter((variable) => !own.has(variable.name));
}
