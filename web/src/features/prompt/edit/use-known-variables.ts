import { useMemo, useRef } from 'react';
import type { PreviewVariable } from '~/api/types';
import type { KnownVariable } from '~/features/templates/language';
import { discover } from '~/features/templates/scan';
import { type EditBody, isPlaceholder, textsOf } from '../model/body';

export interface VariableUse {
  /** Everything the editor knows by name: declared and found. */
  known: ReadonlyMap<string, KnownVariable>;
  /** Names the text uses, in order of first use. */
  used: string[];
  /** Used, but not described by the author. */
  undeclared: string[];
}

/** The variables of the working copy: what is declared, and what is found in the text, at once. */
export function useKnownVariables(body: EditBody, fromServer: PreviewVariable[] | undefined): VariableUse {
  const { variables, syntax } = body;
  const placeholders = body.messages.flatMap(({ message }) => (isPlaceholder(message) ? [message.name] : []));
  const found = textsOf(body).flatMap((text) => discover(text, syntax));
  // Snippets bring variables of their own, which only the server sees. Without a snippet an answer
  // about an older text must not bring names back.
  const includes = syntax === 'jinja' && textsOf(body).some((text) => /\{%-?\s*include\s/.test(text));
  const included = (fromServer ?? []).filter((v) => v.used && includes && !found.includes(v.name)).map((v) => v.name);
  const used = [...new Set([...found, ...included])].filter((name) => !placeholders.includes(name));

  const key = JSON.stringify([variables.map((v) => v.variable), used]);
  const last = useRef<{ key: string; use: VariableUse } | null>(null);
  return useMemo(() => {
    if (last.current?.key === key) return last.current.use;
    const known = new Map<string, KnownVariable>();
    for (const { variable } of variables) if (variable.name) known.set(variable.name, { ...variable, declared: true });
    const undeclared = used.filter((name) => !known.has(name));
    for (const name of undeclared) known.set(name, { name, type: 'string', required: false, declared: false });
    const use = { known, used, undeclared };
    last.current = { key, use };
    return use;
    // The key stands for all of it.
  }, [key]);
}
