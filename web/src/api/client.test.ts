import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError, api, path, setUnauthenticatedHandler, setWorkspace, urlFor } from './client';

const fetched = vi.fn<typeof fetch>();

function answer(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/html' : 'application/json';
  fetched.mockResolvedValueOnce(new Response(text, { status, headers: { 'content-type': type, ...headers } }));
}

beforeEach(() => vi.stubGlobal('fetch', fetched));
afterEach(() => {
  fetched.mockReset();
  setWorkspace(null);
  setUnauthenticatedHandler(() => {});
  vi.unstubAllGlobals();
});

async function failure(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => null,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

describe('addresses', () => {
  test('encode what stands in a path', () => {
    expect(path`/prompts/${'a b/c?'}/versions/${7}`).toBe('/prompts/a%20b%2Fc%3F/versions/7');
  });

  test('carry the workspace, except for the account', () => {
    setWorkspace('w1');
    expect(urlFor('/prompts', { search: 'a&b', tag: undefined, page: 1 })).toBe(
      '/api/v1/prompts?search=a%26b&page=1&workspace=w1',
    );
    expect(urlFor('/auth/me')).toBe('/api/v1/auth/me');
    expect(urlFor('/stream', { workspace: 'w2' })).toBe('/api/v1/stream?workspace=w2');
  });
});

describe('calls', () => {
  test('give the data of the envelope', async () => {
    answer(200, { success: true, data: { id: 1 }, meta: {} });
    await expect(api.get('/prompts/x/details')).resolves.toEqual({ id: 1 });
  });

  test('give lists with their total', async () => {
    answer(200, { success: true, data: [1, 2], meta: { page: 1, limit: 2, total: 9 } });
    await expect(api.list('/prompts')).resolves.toMatchObject({ items: [1, 2], total: 9 });
  });

  test('send JSON', async () => {
    answer(201, { success: true, data: {} });
    await api.post('/prompts', { title: 'A' });
    const init = fetched.mock.calls[0]![1]!;
    expect(init).toMatchObject({ method: 'POST', body: '{"title":"A"}', credentials: 'same-origin' });
    expect(init.headers).toMatchObject({ 'content-type': 'application/json' });
  });

  test('turn a refusal into an error with everything it says', async () => {
    const errors = [
      { field: 'slug', code: 'taken', message: 'is taken' },
      { field: 'slug', code: 'x', message: 'second' },
    ];
    answer(422, {
      success: false,
      error: { code: 'VALIDATION_ERROR', message: 'No', details: { errors }, request_id: 'r1' },
    });
    const error = await failure(api.post('/prompts'));
    expect(error).toMatchObject({ status: 422, code: 'VALIDATION_ERROR', message: 'No', requestId: 'r1' });
    expect(error.fieldErrors()).toEqual({ slug: 'Is taken.' });
  });

  test('survive an answer that is no JSON', async () => {
    answer(502, '<h1>Bad gateway</h1>', { 'x-request-id': 'r2' });
    const error = await failure(api.get('/prompts'));
    expect(error).toMatchObject({ status: 502, code: 'UNEXPECTED_ANSWER', requestId: 'r2' });
  });

  test('take a page of the app in place of an answer for a failure', async () => {
    answer(200, '<!doctype html>');
    expect((await failure(api.get('/prompts'))).code).toBe('UNEXPECTED_ANSWER');
  });

  test('tell how long to wait', async () => {
    answer(429, { success: false, error: { code: 'RATE_LIMITED', message: 'rate limit' } }, { 'retry-after': '7' });
    expect((await failure(api.get('/prompts'))).retryAfter).toBe(7);
  });

  test('say that the server cannot be reached', async () => {
    fetched.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const error = await failure(api.get('/prompts'));
    expect(error.offline).toBe(true);
  });

  test('pass on that the caller gave up', async () => {
    const stop = new AbortController();
    stop.abort();
    fetched.mockRejectedValueOnce(new DOMException('Aborted', 'AbortError'));
    await expect(api.get('/prompts', { signal: stop.signal })).rejects.toThrow('Aborted');
  });

  test('report an ended session, but not a wrong password', async () => {
    const ended = vi.fn();
    setUnauthenticatedHandler(ended);
    answer(401, { success: false, error: { code: 'INVALID_CREDENTIALS', message: 'No' } });
    await failure(api.post('/auth/login'));
    expect(ended).not.toHaveBeenCalled();
    answer(401, { success: false, error: { code: 'UNAUTHENTICATED', message: 'No' } });
    await failure(api.get('/prompts'));
    expect(ended).toHaveBeenCalledOnce();
  });
});
