import { api, makePrompt } from './api.mjs';

/** The editor of the text, or of the first message. */
export const editor = (page) => page.locator('[name="content"]');

/** Opens a new, published prompt on its page. */
export async function openPrompt(page, fields = {}) {
  const prompt = await makePrompt({
    variables: [{ name: 'name', type: 'string', required: true, sample: 'Ana' }],
    ...fields,
  });
  await page.goto(`/prompts/${prompt.slug}`);
  await editor(page).first().waitFor();
  return prompt;
}

/** Types at the end of the text. */
export async function typeAtEnd(page, text) {
  await editor(page).click();
  await page.keyboard.press('ControlOrMeta+End');
  await page.keyboard.type(text);
}

/** Waits until everything typed is on the server. */
export const saved = (page) => page.getByText(/Draft saved/).waitFor();

/** The text that callers get now. */
export async function liveText(slug) {
  const prompt = await api('GET', `/prompts/${slug}?render=false`);
  return prompt.content;
}
