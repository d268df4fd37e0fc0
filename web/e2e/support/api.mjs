import { email, password, url } from './config.mjs';

let signedIn;

/** Signs in once for the whole run; sign-ins are throttled. */
export function session() {
  signedIn ??= call('POST', '/auth/login', { email, password }, null).then(({ token, workspaces }) => ({
    token,
    workspace: workspaces[0].id,
  }));
  return signedIn;
}

async function call(method, route, body, token) {
  const response = await raw(method, route, { body, token });
  const envelope = await response.json();
  if (!envelope.success) throw new Error(`${method} ${route}: ${response.status} ${JSON.stringify(envelope.error)}`);
  return envelope.data;
}

/** One request to the API, with its answer as it is. */
export function raw(method, route, { body, token } = {}) {
  return fetch(`${url}/api/v1${route}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

/** A call as the signed-in person, in their workspace, with the data of the answer. */
export async function api(method, route, body) {
  const { token, workspace } = await session();
  const separator = route.includes('?') ? '&' : '?';
  return call(method, `${route}${separator}workspace=${workspace}`, body, token);
}

let made = 0;

/** A name that no other run has used. */
export function unique(words) {
  made += 1;
  return `${words} ${Date.now().toString(36)}${made}`;
}

/** Makes a prompt to work on. */
export function makePrompt(fields = {}) {
  return api('POST', '/prompts', {
    title: unique('Example'),
    content: 'Hello {{ name }}, welcome to {{ place }}.',
    ...fields,
  });
}
