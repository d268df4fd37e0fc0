/** Every tab of the prompt page, in both themes and on a phone: accessible, and no wider than the screen. */
import assert from 'node:assert/strict';
import { api, makePrompt } from './support/api.mjs';
import { expectAccessible, expectNoSidewaysScroll, pageTest } from './support/browser.mjs';
import { editor, openPrompt } from './support/prompt.mjs';

/** Prompts that show everything: a draft over two versions, a chat, an archived one. */
async function make() {
  const text = await makePrompt({ tags: ['welcome'], category: 'Mail', config: { model: 'gpt-4.1' } });
  const route = `/prompts/${text.slug}`;
  await api('POST', `${route}/versions`, { content: 'Hi {{ name }}.\n\nWelcome!', publish: true });
  await api('PUT', `${route}/draft`, { content: 'Hi {{ name }}.\n\nWelcome to {{ place }}!' });
  const chat = await makePrompt({
    type: 'chat',
    content: undefined,
    messages: [
      { role: 'system', content: 'Be kind.' },
      { type: 'placeholder', name: 'history' },
      { role: 'user', content: '{{ name }}' },
    ],
  });
  const archived = await makePrompt();
  await api('POST', `/prompts/${archived.slug}/archive`);
  return { text: route, chat: `/prompts/${chat.slug}`, archived: `/prompts/${archived.slug}` };
}

let prompts;
const made = () => (prompts ??= make());

const tabs = [
  ({ text }) => [text, '[name="content"]'],
  ({ chat }) => [chat, '[name="content"]'],
  ({ archived }) => [archived, '[name="content"]'],
  ({ text }) => [`${text}/history`, 'table'],
  ({ text }) => [`${text}/history?version=2&against=1&view=split`, 'table'],
  ({ text }) => [`${text}/use`, 'pre'],
  ({ text }) => [`${text}/settings`, 'form'],
  () => ['/prompts/there-is-no-such-prompt', 'text=There is no such prompt'],
];

for (const view of ['light', 'dark', 'phone', 'darkPhone']) {
  pageTest(`the tabs of a prompt are accessible (${view})`, { view }, async (page) => {
    const all = await made();
    for (const tab of tabs) {
      const [path, sign] = tab(all);
      await page.goto(path);
      await page.locator(sign).first().waitFor();
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    }
  });

  pageTest(`what opens on a prompt is accessible (${view})`, { view }, async (page) => {
    const { text } = await made();
    await page.goto(text);
    await editor(page).waitFor();
    await page.getByRole('button', { name: /^Syntax/ }).click();
    await page.getByRole('menu').waitFor();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.getByText('Model settings').first().click();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.locator('.test-result').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByRole('dialog', { name: 'Publish' }).locator('table').waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });
}

pageTest('an archived prompt is shown read-only, with the reason', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await api('POST', `/prompts/${slug}/archive`);
  await page.reload();
  await page.getByRole('note').getByText('Archived prompts are read-only').waitFor();
  assert.equal(await editor(page).getAttribute('contenteditable'), 'false');
});
