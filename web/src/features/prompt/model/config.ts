import type { ModelConfig } from '~/api/types';

/** A usual setting of a model, as a field. */
export interface Field {
  key: string;
  label: string;
  hint: string;
  placeholder: string;
  kind: 'text' | 'number' | 'integer' | 'list';
  min?: number;
  max?: number;
}

export const FIELDS: Field[] = [
  { key: 'model', label: 'Model', hint: 'The name the provider gives it', placeholder: 'gpt-4.1', kind: 'text' },
  {
    key: 'temperature',
    label: 'Temperature',
    hint: '0 is steady, higher is freer',
    placeholder: '0.7',
    kind: 'number',
    min: 0,
    max: 2,
  },
  { key: 'max_tokens', label: 'Longest answer', hint: 'In tokens', placeholder: '800', kind: 'integer', min: 1 },
  { key: 'top_p', label: 'Top p', hint: 'Usually left alone', placeholder: '1', kind: 'number', min: 0, max: 1 },
  {
    key: 'stop',
    label: 'Stop at',
    hint: 'Texts that end the answer, with commas between',
    placeholder: 'END, ###',
    kind: 'list',
  },
];

export type ParsedConfig = { ok: true; value: ModelConfig } | { ok: false; message: string };

export function readField(field: Field, config: ModelConfig): string {
  const value = config[field.key];
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The settings with what was typed into one field; empty takes the setting away. */
export function writeField(field: Field, text: string, config: ModelConfig): ParsedConfig {
  const trimmed = text.trim();
  if (trimmed === '') {
    const { [field.key]: _, ...rest } = config;
    return { ok: true, value: rest };
  }
  if (field.kind === 'text') return { ok: true, value: { ...config, [field.key]: trimmed } };
  if (field.kind === 'list') {
    const values = text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    return { ok: true, value: { ...config, [field.key]: values } };
  }
  const number = Number(trimmed.replace(',', '.'));
  const problem = wrongNumber(field, number);
  return problem ? { ok: false, message: problem } : { ok: true, value: { ...config, [field.key]: number } };
}

function wrongNumber({ kind, min, max }: Field, number: number): string | null {
  if (!Number.isFinite(number)) return 'A number';
  if (kind === 'integer' && !Number.isInteger(number)) return 'A whole number';
  if (min !== undefined && number < min) return `At least ${min}`;
  if (max !== undefined && number > max) return `At most ${max}`;
  return null;
}

export function parseConfig(text: string): ParsedConfig {
  if (text.trim() === '') return { ok: true, value: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (value && typeof value === 'object' && !Array.isArray(value)) return { ok: true, value: value as ModelConfig };
    return { ok: false, message: 'Settings are an object: { "model": "…" }' };
  } catch (error) {
    return { ok: false, message: `This is not JSON yet: ${(error as Error).message}` };
  }
}

/** The settings in one line. */
export function configSummary(config: ModelConfig): string {
  const keys = Object.keys(config);
  if (keys.length === 0) return 'none';
  const usual = FIELDS.filter((field) => config[field.key] !== undefined).map((field) =>
    field.key === 'model' ? readField(field, config) : `${field.label.toLowerCase()} ${readField(field, config)}`,
  );
  const others = keys.length - usual.length;
  return [...usual, ...(others > 0 ? [`${others} more`] : [])].join(' · ');
}
