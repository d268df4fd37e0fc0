import type { PromptBody, Variable } from '~/api/types';
import { TYPE_WORDS } from '~/features/templates/words';
import { formatValue } from './values';

/** Something the callers of a prompt will notice when a version goes live. */
export interface Notice {
  tone: 'breaking' | 'notice' | 'info';
  variable?: string;
  text: string;
}

type Contract = Pick<PromptBody, 'type' | 'syntax' | 'variables'> & {
  /** Names of the described variables that the text does not use. */
  unused?: readonly string[];
};

/** Compares what callers see now with what they will see; the gravest first. */
export function callerImpact(before: Contract | null, after: Contract): Notice[] {
  if (!before) return firstPublish(after);
  const old = new Map(before.variables.map((v) => [v.name, v]));
  const now = new Map(after.variables.map((v) => [v.name, v]));
  const notices: Notice[] = [...shape(before, after)];
  for (const variable of after.variables) {
    const earlier = old.get(variable.name);
    notices.push(...(earlier ? changed(earlier, variable, after) : [added(variable, after)]));
  }
  for (const variable of before.variables) {
    if (!now.has(variable.name)) notices.push(removed(variable));
  }
  const rank = { breaking: 0, notice: 1, info: 2 };
  return notices.sort((a, b) => rank[a.tone] - rank[b.tone]);
}

/** True when a caller who changes nothing can be refused after this. */
export function breaksCallers(notices: Notice[]): boolean {
  return notices.some((n) => n.tone === 'breaking');
}

function firstPublish(after: Contract): Notice[] {
  const needed = after.variables.filter(isRequired).map((v) => v.name);
  const optional = after.variables.filter((v) => !isRequired(v) && !after.unused?.includes(v.name));
  const notices: Notice[] = [];
  if (needed.length > 0) notices.push({ tone: 'info', text: `Callers must send ${list(needed)}.` });
  if (optional.length > 0) {
    const names = list(optional.map((v) => v.name));
    notices.push({ tone: 'info', text: `Callers may send ${names}. ${leftOut(optional, after)}`.trimEnd() });
  }
  return notices;
}

/** What stands in the text where a caller sends nothing and there is no default. */
function leftOut(optional: Variable[], after: Contract): string {
  const bare = optional.find((v) => v.default === undefined || v.default === null);
  if (!bare) return '';
  if (after.syntax === 'jinja') return 'What they leave out stays empty.';
  return `What they leave out is seen in the text, such as {{${bare.name}}}.`;
}

function isRequired(variable: Variable): boolean {
  return variable.required && (variable.default === undefined || variable.default === null);
}

function shape(before: Contract, after: Contract): Notice[] {
  const notices: Notice[] = [];
  if (before.type !== after.type) {
    const text =
      after.type === 'chat'
        ? 'Callers get a list of chat messages instead of one text.'
        : 'Callers get one text instead of a list of chat messages.';
    notices.push({ tone: 'breaking', text });
  }
  if (before.syntax !== after.syntax && after.syntax === 'jinja') {
    notices.push({
      tone: 'info',
      text: 'The text now uses Jinja. SDKs let the server fill it in, which takes one more call.',
    });
  }
  if (before.syntax !== after.syntax && after.syntax === 'none') {
    notices.push({
      tone: 'notice',
      text: 'Nothing in the text is filled in any more: callers get it exactly as written.',
    });
  }
  return notices;
}

function removed(variable: Variable): Notice {
  return {
    tone: 'info',
    variable: variable.name,
    text: `${variable.name} is no longer used. Callers who still send it are told so; nothing breaks.`,
  };
}

function added(variable: Variable, after: Contract): Notice {
  const { name } = variable;
  if (isRequired(variable)) {
    return {
      tone: 'breaking',
      variable: name,
      text: `Callers must now send ${name} (${word(variable)}). Calls without it will be refused.`,
    };
  }
  if (after.unused?.includes(name)) {
    return {
      tone: 'info',
      variable: name,
      text: `${name} is described, but the text does not use it. Callers need not send it.`,
    };
  }
  return { tone: 'notice', variable: name, text: `${name} is new. ${without(variable, after)}` };
}

/** What a caller gets who does not send the variable. */
function without(variable: Variable, after: Contract): string {
  if (variable.default !== undefined && variable.default !== null) {
    return `Callers who do not send it get “${formatValue(variable.default)}”.`;
  }
  return after.syntax === 'jinja'
    ? 'For callers who do not send it, its place stays empty.'
    : `Callers who do not send it see {{${variable.name}}} in the text.`;
}

function changed(before: Variable, after: Variable, contract: Contract): Notice[] {
  const notices: Notice[] = [];
  const name = after.name;
  const breaking = (text: string) => notices.push({ tone: 'breaking', variable: name, text });
  const info = (text: string) => notices.push({ tone: 'info', variable: name, text });
  if (before.type !== after.type) {
    if (widens(before, after)) info(`${name} now also takes other values (${word(after)}).`);
    else breaking(`${name} must now be ${a(word(after))}; it was ${a(word(before))}. Other values will be refused.`);
  }
  if (!isRequired(before) && isRequired(after)) breaking(`${name} is now required. Calls without it will be refused.`);
  if (isRequired(before) && !isRequired(after)) info(`${name} is no longer required. ${without(after, contract)}`);
  const unused = contract.unused?.includes(name);
  if (
    !unused &&
    formatValue(before.default) !== formatValue(after.default) &&
    !isRequired(before) &&
    !isRequired(after)
  ) {
    notices.push({ tone: 'notice', variable: name, text: `${name}: ${without(after, contract)}` });
  }
  const choices = enumChange(before, after);
  if (choices) notices.push(choices);
  const limits = tightened(before, after);
  if (limits.length > 0) breaking(`${name} is checked more strictly: ${limits.join(', ')}.`);
  return notices;
}

/** Every value that was accepted still is. */
function widens(before: Variable, after: Variable): boolean {
  return after.type === 'any' || (before.type === 'integer' && after.type === 'number');
}

function enumChange(before: Variable, after: Variable): Notice | null {
  const old = before.enum?.map(formatValue) ?? [];
  const now = after.enum?.map(formatValue) ?? [];
  if (now.length === 0) return null;
  const lost = old.filter((value) => !now.includes(value));
  if (old.length === 0)
    return { tone: 'breaking', variable: after.name, text: `${after.name} now takes only ${list(now)}.` };
  if (lost.length === 0) return null;
  return { tone: 'breaking', variable: after.name, text: `${after.name} no longer takes ${list(lost)}.` };
}

function tightened(before: Variable, after: Variable): string[] {
  const found: string[] = [];
  const lower = (key: 'min' | 'min_length', words: string) => {
    const value = after[key];
    if (value != null && (before[key] == null || value > before[key])) found.push(`${words} ${value}`);
  };
  const upper = (key: 'max' | 'max_length', words: string) => {
    const value = after[key];
    if (value != null && (before[key] == null || value < before[key])) found.push(`${words} ${value}`);
  };
  lower('min', 'at least');
  upper('max', 'at most');
  lower('min_length', 'length at least');
  upper('max_length', 'length at most');
  if (after.pattern && after.pattern !== before.pattern) found.push(`it must match ${after.pattern}`);
  return found;
}

function word(variable: Variable): string {
  return TYPE_WORDS[variable.type].toLowerCase();
}

function a(words: string): string {
  if (words === 'text' || words === 'yes or no' || words === 'anything') return words;
  return /^[aeiou]/.test(words) ? `an ${words}` : `a ${words}`;
}

export function list(words: string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
