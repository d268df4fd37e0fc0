import type { Variable, VariableType } from '~/api/types';

/** The sample of a variable, else its default, else the first allowed value; undefined when there is none. */
export function sampleOf(variable: Variable): unknown {
  if (isSet(variable.sample)) return variable.sample;
  if (isSet(variable.default)) return variable.default;
  return undefined;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The values a preview is made with. */
export function sampleValues(variables: Variable[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const variable of variables) {
    const value = sampleOf(variable);
    if (value !== undefined && variable.name) values[variable.name] = value;
  }
  return values;
}

/** A value that fits the variable, made up where nothing was given, so that a code example works as it stands. */
export function exampleOf(variable: Variable): unknown {
  const sample = sampleOf(variable);
  if (sample !== undefined) return sample;
  if (variable.enum?.length) return variable.enum[0];
  switch (variable.type) {
    case 'integer':
    case 'number':
      return variable.min ?? 1;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return variable.name.replaceAll('_', ' ');
  }
}

export type Parsed = { ok: true; value: unknown } | { ok: false; message: string };

/** Reads what was typed into a field as a value of the type; empty means "not set". */
export function parseValue(type: VariableType, text: string): Parsed {
  if (type === 'string') return { ok: true, value: text === '' ? undefined : text };
  const trimmed = text.trim();
  if (trimmed === '') return { ok: true, value: undefined };
  switch (type) {
    case 'integer':
      return /^-?\d+$/.test(trimmed)
        ? { ok: true, value: Number(trimmed) }
        : { ok: false, message: 'A whole number, like 3' };
    case 'number': {
      const value = Number(trimmed);
      return Number.isFinite(value) ? { ok: true, value } : { ok: false, message: 'A number, like 2.5' };
    }
    case 'boolean':
      if (trimmed === 'true') return { ok: true, value: true };
      if (trimmed === 'false') return { ok: true, value: false };
      return { ok: false, message: 'Yes or no' };
    case 'array':
    case 'object':
      return parseJson(type, trimmed);
    default:
      return parseAny(text);
  }
}

function parseJson(type: 'array' | 'object', text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    const fits =
      type === 'array' ? Array.isArray(value) : typeof value === 'object' && value !== null && !Array.isArray(value);
    if (fits) return { ok: true, value };
  } catch {
    // falls through to the one message that helps
  }
  return {
    ok: false,
    message: type === 'array' ? 'A list in JSON, like ["a", "b"]' : 'An object in JSON, like {"name": "Ana"}',
  };
}

function parseAny(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: true, value: text };
  }
}

/** A value as the text of its field. */
export function formatValue(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}
