/** Writing: drafts save themselves, nothing typed is lost, and everything works from the keyboard. */
import assert from 'node:assert/strict';
import { api, makePrompt } from './support/api.mjs';
import { pageTest } from './support/browser.mjs';
import { editor, openPrompt, saved, typeAtEnd } from './support/prompt.mjs';

pageTest('what is typed is saved by itself and is there after a reload', {}, async (page) => {
  const { slug } = await openPrompt(page);
  // Held back, so that there is time to read that it is not saved yet.
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route('**/draft*', async (route) => {
    if (route.request().method() !== 'GET') await held;
    await route.continue();
  });
  await typeAtEnd(page, ' Nice to have you.');
  await page.getByText(/^(Not saved yet|Saving)/).waitFor();
  release();
  await saved(page);
  await page.reload();
  await editor(page).waitFor();
  assert.match(await editor(page).innerText(), /Nice to have you\.$/);
  await page.getByText('Draft differs').waitFor();
  const draft = await api('GET', `/prompts/${slug}/draft`);
  assert.equal(draft.content, 'Hello {{ name }}, welcome to {{ place }}. Nice to have you.');
});

pageTest('saving by keyboard, and switching tabs, keeps everything', {}, async (page) => {
  const { slug } = await openPrompt(page);
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
  assert.match((await api('GET', `/prompts/${slug}/draft`)).content, / AB$/);
});

pageTest('the test shows what a caller gets', {}, async (page) => {
  await openPrompt(page);
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  const result = page.locator('.test-result');
  await result.getByText('This is what a caller gets').waitFor();
  await result.getByText('Hello Ana, welcome to {{ place }}.').waitFor();
});

pageTest('a required variable without a sample makes the test say that a call would be refused', {}, async (page) => {
  await openPrompt(page, { variables: [{ name: 'name', type: 'string', required: true }] });
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  await page.locator('.test-result').getByText('A call with these values would be refused').waitFor();
});

pageTest('the preview follows the typing, and the sample', {}, async (page) => {
  await openPrompt(page);
  const preview = page.getByRole('region', { name: 'Preview' });
  await preview.getByText('Hello Ana').waitFor();
  await page.getByLabel('Sample for name').fill('Bruno');
  await preview.getByText('Hello Bruno').waitFor();
  await typeAtEnd(page, ' See you.');
  await preview.getByText('See you.').waitFor();
});

pageTest('typing {{ offers the variables, and one found in the text is described with one click', {}, async (page) => {
  await openPrompt(page);
  await typeAtEnd(page, ' Bye {{ na');
  await page.getByRole('option', { name: /^name/ }).waitFor();
  await page.keyboard.press('Enter');
  assert.match(await editor(page).innerText(), /Bye \{\{ name \}\}$/);
  await page.getByRole('button', { name: 'Describe place' }).click();
  await page.getByLabel('Sample for place').fill('Graz');
  await page.getByRole('region', { name: 'Preview' }).getByText('welcome to Graz').waitFor();
});

pageTest('Enter takes a proposal however fast it comes', {}, async (page) => {
  const snippet = await makePrompt();
  await openPrompt(page, { syntax: 'jinja', content: 'Hello {{ name }}.' });
  await typeAtEnd(page, ' Bye {{ na');
  await page.keyboard.press('Enter');
  await editor(page).getByText('Bye {{ name }}').waitFor();

  // The answer with the snippets comes after Enter.
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  await page.route(/\/api\/v1\/prompts\?.*search=/, async (route) => {
    await held;
    await route.continue();
  });
  const asked = page.waitForRequest(/search=/);
  await page.keyboard.type(`\n{% include "${snippet.slug.slice(0, -1)}`);
  await asked;
  await page.keyboard.press('Enter');
  answer();
  await editor(page).getByText(`{% include "${snippet.slug}" %}`).waitFor();
});

pageTest('a mistake in the text is listed with a way to it', {}, async (page) => {
  await openPrompt(page, { syntax: 'jinja', content: 'Hello {{ name }}' });
  await typeAtEnd(page, '\n{% if name %}');
  const preview = page.getByRole('region', { name: 'Preview' });
  const jump = preview.getByRole('button', { name: /^Line \d+/ }).first();
  await jump.waitFor();
  await page.locator('.cm-lintRange-error').first().waitFor();
  await jump.click();
  assert.ok(await editor(page).evaluate((element) => element === document.activeElement));
});

pageTest('leaving is only stopped while something cannot be saved, and the text comes back later', {}, async (page) => {
  const { slug } = await openPrompt(page);
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
});

pageTest('two people in one draft: nothing is overwritten, and one chooses', {}, async (page, context) => {
  const { slug } = await openPrompt(page);
  const other = await context.newPage();
  await other.goto(`/prompts/${slug}`);
  await editor(other).waitFor();
  await typeAtEnd(other, ' Theirs.');
  await saved(other);
  await typeAtEnd(page, ' Mine.');
  await page.getByRole('button', { name: 'Compare and choose' }).click();
  const dialog = page.getByRole('dialog', { name: 'Two texts, one prompt' });
  await dialog.getByText('Theirs.').waitFor();
  await dialog.getByText('Mine.').waitFor();
  await dialog.getByRole('button', { name: 'Keep mine' }).click();
  await saved(page);
  assert.match((await api('GET', `/prompts/${slug}/draft`)).content, / Mine\.$/);
});

pageTest('chat messages are added, moved and removed, with undo', {}, async (page) => {
  const { slug } = await openPrompt(page, {
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
  const draft = await api('GET', `/prompts/${slug}/draft`);
  assert.deepEqual(
    draft.messages.map((m) => m.content),
    ['Be kind to {{ name }}.', 'Hello there', 'Hi'],
  );
});

pageTest('model settings are saved with the text, as fields and as JSON', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await page.getByText('Model settings').first().click();
  await page.getByLabel('Model', { exact: true }).fill('gpt-4.1');
  await page.getByLabel('Temperature').fill('0.3');
  await page.getByText('As JSON').click();
  const json = page.getByLabel('Model settings as JSON');
  assert.deepEqual(JSON.parse(await json.inputValue()), { model: 'gpt-4.1', temperature: 0.3 });
  await json.fill('{"model":"gpt-4.1","temperature":0.3,"seed":7}');
  await page.keyboard.press('ControlOrMeta+s');
  await saved(page);
  assert.deepEqual((await api('GET', `/prompts/${slug}/draft`)).config, {
    model: 'gpt-4.1',
    temperature: 0.3,
    seed: 7,
  });
});

pageTest('a snippet is found by its slug, and its variables come with it', {}, async (page) => {
  const snippet = await makePrompt({
    content: 'We are {{ company }}.',
    variables: [{ name: 'company', type: 'string', required: true, sample: 'Acme' }],
  });
  await openPrompt(page, { syntax: 'jinja', content: 'Hello {{ name }}.' });
  await typeAtEnd(page, `\n{% include "${snippet.slug.slice(0, -1)}`);
  await page.getByRole('option', { name: snippet.slug }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Preview' }).getByText('We are Acme.').waitFor();
  assert.match(await editor(page).innerText(), new RegExp(`\\{% include "${snippet.slug}" %\\}$`));
  await page.getByText('Text, required, from a snippet').waitFor();
});
