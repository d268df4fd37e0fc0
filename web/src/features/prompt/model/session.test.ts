import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Draft, PromptDetails, Version } from '~/api/types';
import { type DraftAnswer, EditSession } from './session';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const body = (content: string) => ({
  type: 'text' as const,
  syntax: 'simple' as const,
  content,
  variables: [],
  config: {},
});
const version = (number: number, content: string) => ({ ...body(content), number }) as unknown as Version;
const draft = (revision: number, base: number, content: string) =>
  ({ ...body(content), revision, base_version: base }) as unknown as Draft;
const details = (newest: Version, own: Draft | null = null) =>
  ({ version: newest, draft: own, live_version: newest }) as unknown as PromptDetails;

function open(start: PromptDetails, answers: DraftAnswer[] = []) {
  const sent: { content: unknown; revision: number | null; base: number | null }[] = [];
  let revision = start.draft?.revision ?? 0;
  const session = new EditSession(start, {
    backup: () => {},
    saveDraft: async (value, stamp) => {
      sent.push({ content: value.content, ...stamp });
      return answers.shift() ?? { ok: true, draft: draft(++revision, stamp.base ?? 0, String(value.content)) };
    },
  });
  const type = (content: string) => session.update((edit) => ({ ...edit, content }));
  return { session, sent, type };
}

const pause = () => vi.advanceTimersByTimeAsync(1500);

describe('the editing session', () => {
  it('makes a draft from the newest version, then replaces its own', async () => {
    const { sent, type } = open(details(version(3, 'live')));
    type('a');
    await pause();
    type('b');
    await pause();
    expect(sent).toEqual([
      { content: 'a', revision: null, base: 3 },
      { content: 'b', revision: 1, base: 3 },
    ]);
  });

  it('saves nothing when the text is back where it was', async () => {
    const { sent, session } = open(details(version(3, 'live')));
    session.replace(body('live'));
    await pause();
    expect(sent).toEqual([]);
  });

  it('keeps what is typed when a newer version arrives', async () => {
    const { session, type } = open(details(version(3, 'live')));
    type('mine');
    expect(session.take(details(version(4, 'theirs')))).toBe(false);
    expect(session.body.content).toBe('mine');
    expect(session.base).toBe(3);
  });

  it('shows the newer version when nothing was typed', () => {
    const { session } = open(details(version(3, 'live')));
    expect(session.take(details(version(4, 'theirs')))).toBe(true);
    expect(session.body.content).toBe('theirs');
    expect(session.base).toBe(4);
  });

  it('does not go back to an answer older than its own save', async () => {
    const { session, type } = open(details(version(3, 'live'), draft(7, 3, 'old')));
    type('new');
    await pause();
    expect(session.take(details(version(3, 'live'), draft(7, 3, 'old')))).toBe(false);
    expect(session.body.content).toBe('new');
  });

  it('makes a new draft when the one it knew is gone', async () => {
    const { sent, type, session } = open(details(version(3, 'live'), draft(7, 3, 'old')), [{ ok: false, gone: true }]);
    type('new');
    await pause();
    expect(sent.map((s) => s.revision)).toEqual([7, null]);
    expect(session.autosave.state.phase).toBe('saved');
  });

  it('settles a conflict either way', async () => {
    const theirs = draft(9, 3, 'theirs');
    const one = open(details(version(3, 'live')), [{ ok: false, conflict: theirs }]);
    one.type('mine');
    await pause();
    expect(one.session.autosave.state.phase).toBe('conflict');
    one.session.settle(theirs, body('mine'));
    await vi.advanceTimersByTimeAsync(0);
    expect(one.sent.at(-1)).toEqual({ content: 'mine', revision: 9, base: 3 });

    const two = open(details(version(3, 'live')), [{ ok: false, conflict: theirs }]);
    two.type('mine');
    await pause();
    two.session.settle(theirs, null);
    await pause();
    expect(two.session.body.content).toBe('theirs');
    expect(two.sent).toHaveLength(1);
  });

  it('keeps on saving what was typed while publishing', async () => {
    const { session, sent, type } = open(details(version(3, 'live')));
    type('one');
    await pause();
    type('one two');
    session.published(version(4, 'one'));
    await vi.advanceTimersByTimeAsync(0);
    expect(sent.at(-1)).toEqual({ content: 'one two', revision: null, base: 4 });
  });
});
