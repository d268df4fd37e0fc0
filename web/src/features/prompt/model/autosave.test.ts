import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Autosave, type SaveOutcome } from './autosave';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function setUp(outcomes: SaveOutcome[] = []) {
  const sent: string[] = [];
  const kept: (string | null)[] = [];
  const gates: (() => void)[] = [];
  let manual = false;
  const saver = new Autosave<string>({
    save: async (value) => {
      sent.push(value);
      if (manual) await new Promise<void>((open) => gates.push(open));
      return outcomes.shift() ?? { ok: true };
    },
    backup: (value) => kept.push(value),
    now: () => 42,
  });
  return { saver, sent, kept, gates, hold: () => (manual = true) };
}

describe('autosave', () => {
  it('waits for a pause and sends the last value only', async () => {
    const { saver, sent, kept } = setUp();
    saver.change('a');
    await vi.advanceTimersByTimeAsync(1000);
    saver.change('ab');
    await vi.advanceTimersByTimeAsync(1400);
    expect(sent).toEqual([]);
    expect(saver.state.phase).toBe('dirty');
    await vi.advanceTimersByTimeAsync(200);
    expect(sent).toEqual(['ab']);
    expect(saver.state).toEqual({ phase: 'saved', at: 42 });
    expect(kept).toEqual(['a', 'ab', null]);
    expect(saver.unsaved).toBe(false);
  });

  it('sends what was typed during a save right after it', async () => {
    const { saver, sent, gates, hold } = setUp();
    hold();
    saver.change('a');
    await vi.advanceTimersByTimeAsync(1500);
    saver.change('ab');
    expect(saver.state.phase).toBe('saving');
    const done = saver.flush();
    gates.shift()!();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['a', 'ab']);
    gates.shift()!();
    expect(await done).toBe(true);
    expect(saver.state.phase).toBe('saved');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toEqual(['a', 'ab']);
  });

  it('keeps the copy and tries again when the network fails', async () => {
    const { saver, sent, kept } = setUp([{ ok: false, message: 'offline', retry: true }]);
    saver.change('a');
    await vi.advanceTimersByTimeAsync(1500);
    expect(saver.state).toEqual({ phase: 'failed', message: 'offline', retrying: true });
    expect(saver.unsaved).toBe(true);
    expect(kept.at(-1)).toBe('a');
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent).toEqual(['a', 'a']);
    expect(saver.state.phase).toBe('saved');
  });

  it('does not hammer the server with what it refused', async () => {
    const { saver, sent } = setUp([{ ok: false, message: 'too long', retry: false }]);
    saver.change('a');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(sent).toEqual(['a']);
    expect(await saver.flush()).toBe(true);
    expect(sent).toEqual(['a', 'a']);
  });

  it('stops at a conflict until it is resolved', async () => {
    const { saver, sent } = setUp([{ ok: false, conflict: 'theirs' }]);
    saver.change('mine');
    await vi.advanceTimersByTimeAsync(1500);
    expect(saver.state).toEqual({ phase: 'conflict', theirs: 'theirs' });
    saver.change('mine too');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toEqual(['mine']);
    expect(await saver.flush()).toBe(false);
    saver.resolve('merged');
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['mine', 'merged']);
    expect(saver.state.phase).toBe('saved');
  });

  it('forgets after reset', async () => {
    const { saver, sent, kept } = setUp();
    saver.change('a');
    saver.reset();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toEqual([]);
    expect(kept.at(-1)).toBe(null);
    expect(saver.unsaved).toBe(false);
  });
});
