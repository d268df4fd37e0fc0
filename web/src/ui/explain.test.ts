import { describe, expect, test } from 'vitest';
import { ApiError } from '~/api/client';
import { explain } from './explain';

describe('explain', () => {
  test('says that nothing is lost when the server cannot be reached', () => {
    expect(explain(new ApiError(0, 'OFFLINE', '')).text).toMatch(/Nothing is lost/);
  });

  test('says how long to wait', () => {
    const limited = (seconds: number | null) => explain(new ApiError(429, 'RATE_LIMITED', '', {}, null, seconds)).text;
    expect(limited(7)).toMatch('7 seconds');
    expect(limited(240)).toMatch('4 minutes');
    expect(limited(null)).toMatch('a moment');
  });

  test('never shows what the program said about itself', () => {
    const { title, text } = explain(new TypeError('x is undefined'));
    expect(title + text).not.toMatch('undefined');
  });

  test('keeps the words of the server where it knows better', () => {
    expect(explain(new ApiError(422, 'VALIDATION_ERROR', 'Too long')).text).toBe('Too long');
    expect(explain(new ApiError(404, 'NOT_FOUND', 'Prompt not found')).text).toMatch(/^Prompt not found\. /);
  });
});
