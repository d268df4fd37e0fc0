/** Writing: drafts save themselves, nothing typed is lost, and everything works from the keyboard. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { editor, launch, makePrompt, openPage, request, saved, signIn, typeAtEnd } from './support.mjs';

let browser;
let context;
before(async () => {
  browser = await launch();
  context = await signIn(browser);
});
after(() => browser?.close());

async function open(input) {
  const { slug } = await makePrompt(context, input);
  const page = await openPage(context, `/prompts/${slug}`);
  await editor(page).waitFor();
  return { slug, page };
}

test('what is typed is saved by itself and is there after a reload', async () => {
  const { page, slug } = await open();
  await typeAtEnd(page, ' Nice to have you.');
  await page.getByText('Not saved yet').waitFor();
  await saved(page);
  await page.reload();
  await editor(page).waitFor();
  assert.match(await editor(page).innerText(), /Nice to have you\.$/);
  await page.getByText('Draft differs').waitFor();
  const draft = await request(context, 'GET', `/prompts/${slug}/draft`);
  assert.equal(draft.content, 'Hello {{ name }}, welcome to {{ place }}. Nice to have you.');
  assert.deepEqual(page.problems, []);
  await page.close();
});

test('saving by keyboard, and switching tabs, keeps everything', async () => {
  const { page, slug } = await open();
  await page.keyboard.press('e');
  await page.keyboard.press('ControlOrMeta+End');
  await page.keyboard.type(' A');
  await page.keyboard.press('ControlOrMeta+s');
  await saved(page);
  await page.keyboard.type('B');
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('heading', { name: 'Labels' }).waitFor();
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  assert.match(await editor(page).innerText(), / AB$/);
  await saved(page);
  assert.match((await request(context, 'GET', `/prompts/${slug}/draft`)).content, / AB$/);
  await page.close();
});

test('the test shows what a caller gets', async () => {
  const { page } = await open();
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  const result = page.locator('.test-result');
  await result.getByText('This is what a caller gets').waitFor();
  await result.getByText('Hello Ana, welcome to {{ place }}.').waitFor();
  await page.close();
});

test('a required variable without a sample makes the test say that a call would be refused', async () => {
  const { page } = await open({ variables: [{ name: 'name', type: 'string', required: true }] });
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.locator('.test-result').getByText('A call with these values would be refused').waitFor();
  await page.close();
});

test('the preview follows the typing, and the sample', async () => {
  const { page } = await open();
  const preview = page.getByRole('region', { name: 'Preview' });
  await preview.getByText('Hello Ana').waitFor();
  await page.getByLabel('Sample for name').fill('Bruno');
  await preview.getByText('Hello Bruno').waitFor();
  await typeAtEnd(page, ' See you.');
  await preview.getByText('See you.').waitFor();
  await page.close();
});

test('typing {{ offers the variables, and one found in the text is described with one click', async () => {
  const { page } = await open();
  await typeAtEnd(page, ' Bye {{ na');
  await page.getByRole('option', { name: /^name/ }).waitFor();
  await page.keyboard.press('Enter');
  assert.match(await editor(page).innerText(), /Bye \{\{ name \}\}$/);
  await page.getByRole('button', { name: 'Describe place' }).click();
  await page.getByLabel('Sample for place').fill('Graz');
  await page.getByRole('region', { name: 'Preview' }).getByText('welcome to Graz').waitFor();
  await page.close();
});

test('a mistake in the text is listed with a way to it', async () => {
  const { page } = await open({ syntax: 'jinja', content: 'Hello {{ name }}' });
  await typeAtEnd(page, '\n{% if name %}');
  const preview = page.getByRole('region', { name: 'Preview' });
  const jump = preview.getByRole('button', { name: /^Line \d+/ }).first();
  await jump.waitFor();
  await page.locator('.cm-lintRange-error').first().waitFor();
  await jump.click();
  assert.ok(await editor(page).evaluate((element) => element === document.activeElement));
  await page.close();
});

test('leaving is only stopped while something cannot be saved, and the text comes back later', async () => {
  const { page, slug } = await open();
  await page.route(`**/api/v1/prompts/*/draft*`, (route) => route.abort());
  await typeAtEnd(page, ' Precious words.');
  await page.getByText(/Could not save/).waitFor();
  await page.getByRole('link', { name: 'Prompts' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Your last changes are not saved' });
  await dialog.waitFor();
  await dialog.getByRole('button', { name: 'Keep editing' }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.match(page.url(), new RegExp(`/prompts/${slug}$`));

  page.on('dialog', (warning) => warning.accept());
  await page.reload();
  await page.getByText(/did not reach the server/).waitFor();
  await page.unroute(`**/api/v1/prompts/*/draft*`);
  await page.getByRole('button', { name: 'Bring it back' }).click();
  assert.match(await editor(page).innerText(), /Precious words\.$/);
  await saved(page);
  await page.getByRole('link', { name: 'Prompts' }).first().click();
  await page.waitForURL(/\/prompts(\?.*)?$/);
  await page.close();
});

test('two people in one draft: nothing is overwritten, and one chooses', async () => {
  const { page, slug } = await open();
  const other = await openPage(context, `/prompts/${slug}`);
  await typeAtEnd(other, ' Theirs.');
  await saved(other);
  await typeAtEnd(page, ' Mine.');
  await page.getByRole('button', { name: 'Compare and choose' }).click();
  const dialog = page.getByRole('dialog', { name: 'Two texts, one prompt' });
  await dialog.getByText('Theirs.').waitFor();
  await dialog.getByText('Mine.').waitFor();
  await dialog.getByRole('button', { name: 'Keep mine' }).click();
  await saved(page);
  assert.match((await request(context, 'GET', `/prompts/${slug}/draft`)).content, / Mine\.$/);
  await page.close();
  await other.close();
});

test('chat messages are added, moved and removed, with undo', async () => {
  const { page, slug } = await open({
    type: 'chat',
    content: undefined,
    messages: [
      { role: 'system', content: 'Be kind to {{ name }}.' },
      { role: 'user', content: 'Hi' },
    ],
  });
  await page.getByRole('button', { name: 'Add a message' }).click();
  await page.keyboard.type('Hello there');
  await page.getByRole('button', { name: 'Move message 3 up' }).click();
  await page.getByRole('button', { name: 'Remove message 1' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await saved(page);
  await page.keyboard.press('ControlOrMeta+s');
  await page.reload();
  await page.getByLabel('Role of message 1').waitFor();
  const roles = await page.getByLabel(/^Role of message/).evaluateAll((all) => all.map((select) => select.value));
  assert.deepEqual(roles, ['system', 'assistant', 'user']);
  const draft = await request(context, 'GET', `/prompts/${slug}/draft`);
  assert.deepEqual(
    draft.messages.map((m) => m.content),
    ['Be kind to {{ name }}.', 'Hello there', 'Hi'],
  );
  await page.close();
});

test('model settings are saved with the text, as fields and as JSON', async () => {
  const { page, slug } = await open();
  await page.getByText('Model settings').first().click();
  await page.getByLabel('Model', { exact: true }).fill('gpt-4.1');
  await page.getByLabel('Temperature').fill('0.3');
  await page.getByText('As JSON').click();
  const json = page.getByLabel('Model settings as JSON');
  assert.deepEqual(JSON.parse(await json.inputValue()), { model: 'gpt-4.1', temperature: 0.3 });
  await json.fill('{"model":"gpt-4.1","temperature":0.3,"seed":7}');
  await page.keyboard.press('ControlOrMeta+s');
  await saved(page);
  assert.deepEqual((await request(context, 'GET', `/prompts/${slug}/draft`)).config, {
    model: 'gpt-4.1',
    temperature: 0.3,
    seed: 7,
  });
  await page.close();
});
