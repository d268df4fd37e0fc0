/** Every tab of the prompt page, in both themes and on a phone: accessible, and no wider than the screen. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkA11y, checkWidth, editor, launch, makePrompt, openPage, request, signIn } from './support.mjs';

let browser;
let text;
let chat;
let archived;
before(async () => {
  browser = await launch();
  const context = await signIn(browser);
  text = await makePrompt(context, { tags: ['welcome'], category: 'Mail', config: { model: 'gpt-4.1' } });
  await request(context, 'POST', `/prompts/${text.slug}/versions`, {
    content: 'Hi {{ name }}.\n\nWelcome!',
    publish: true,
  });
  await request(context, 'PUT', `/prompts/${text.slug}/draft`, {
    content: 'Hi {{ name }}.\n\nWelcome to {{ place }}!',
  });
  chat = await makePrompt(context, {
    type: 'chat',
    content: undefined,
    messages: [
      { role: 'system', content: 'Be kind.' },
      { type: 'placeholder', name: 'history' },
      { role: 'user', content: '{{ name }}' },
    ],
  });
  archived = await makePrompt(context);
  await request(context, 'POST', `/prompts/${archived.slug}/archive`);
  await context.close();
});
after(() => browser?.close());

const tabs = [
  ['edit', () => `/prompts/${text.slug}`, '[name="content"]'],
  ['edit, chat', () => `/prompts/${chat.slug}`, '[name="content"]'],
  ['edit, archived', () => `/prompts/${archived.slug}`, '[name="content"]'],
  ['history', () => `/prompts/${text.slug}/history`, 'table'],
  ['history, side by side', () => `/prompts/${text.slug}/history?version=2&against=1&view=split`, 'table'],
  ['use it', () => `/prompts/${text.slug}/use`, 'pre'],
  ['settings', () => `/prompts/${text.slug}/settings`, 'form'],
  ['not found', () => '/prompts/there-is-no-such-prompt', '[role="alert"]'],
];

for (const [look, options] of [
  ['light', { scheme: 'light' }],
  ['dark', { scheme: 'dark' }],
  ['phone', { scheme: 'light', width: 380, height: 800 }],
  ['dark phone', { scheme: 'dark', width: 380, height: 800 }],
]) {
  test(`accessible in ${look}`, async () => {
    const context = await signIn(browser, options);
    for (const [name, path, sign] of tabs) {
      const page = await openPage(context, path());
      await page.locator(sign).first().waitFor();
      await checkA11y(page, `${name}, ${look}`);
      await checkWidth(page, `${name}, ${look}`);
      assert.deepEqual(page.problems, [], name);
      await page.close();
    }
    await context.close();
  });

  test(`accessible with things open in ${look}`, async () => {
    const context = await signIn(browser, options);
    const page = await openPage(context, `/prompts/${text.slug}`);
    await editor(page).waitFor();
    await page.getByRole('button', { name: /^Syntax/ }).click();
    await page.getByRole('menu').waitFor();
    await checkA11y(page, `syntax menu, ${look}`);
    await page.keyboard.press('Escape');
    await page.getByText('Model settings').first().click();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.locator('.test-result').waitFor();
    await checkA11y(page, `test result, ${look}`);
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByRole('dialog', { name: 'Publish' }).locator('table').waitFor();
    await checkA11y(page, `publish sheet, ${look}`);
    await checkWidth(page, `publish sheet, ${look}`);
    assert.deepEqual(page.problems, []);
    await context.close();
  });
}

test('an archived prompt is shown read-only, with the reason', async () => {
  const context = await signIn(browser);
  const page = await openPage(context, `/prompts/${archived.slug}`);
  await page.getByRole('note').getByText('Archived prompts are read-only').waitFor();
  assert.equal(await editor(page).getAttribute('contenteditable'), 'false');
  await context.close();
});
