import { useMemo } from 'react';
import type { PreviewVariable, PromptBody } from '~/api/types';
import type { KnownVariable } from '~/features/templates/language';
import { fromSnippets, usedBySnippets, usedHere } from '../model/included';

export interface VariableUse {
  /** Everything the editor knows by name: declared and found. */
  known: ReadonlyMap<string, KnownVariable>;
  /** Names that are filled in: by the text, or by a snippet in it. */
  used: string[];
  /** Used by the text, but not described by the author. */
  undeclared: string[];
  /** What included snippets bring with them. */
  included: PreviewVariable[];
}

/** The variables of the working copy: what is declared, and what is found in the text, at once. */
export function useKnownVariables(body: PromptBody, compiled: PreviewVariable[]): VariableUse {
  const here = usedHere(body);
  const included = fromSnippets(body, compiled);
  // The same variables must be the same object, or the editor would be set up anew with every key.
  const elsewhere = usedBySnippets(body, compiled).map((variable) => variable.name);
  const key = JSON.stringify({ declared: body.variables, here, elsewhere, included });
  return useMemo(() => describe(JSON.parse(key)), [key]);
}

interface Found {
  declared: PromptBody['variables'];
  here: string[];
  elsewhere: string[];
  included: PreviewVariable[];
}

function describe({ declared, here, elsewhere, included }: Found): VariableUse {
  const known = new Map<string, KnownVariable>();
  for (const variable of declared) known.set(variable.name, { ...variable, declared: true });
  const undeclared = here.filter((name) => !known.has(name));
  for (const name of undeclared) known.set(name, { name, type: 'string', required: false, declared: false });
  for (const variable of included) known.set(variable.name, { ...variable, declared: true });
  return { known, used: [...here, ...elsewhere], undeclared, included };
}
