import assert from 'node:assert/strict';
import { api, makePrompt, unique } from './support/api.mjs';
import { expectAccessible, pageTest, until } from './support/browser.mjs';

const focused = (page, name) =>
  until(page, (wanted) => document.activeElement?.getAttribute('name') === wanted, name);

pageTest('c begins a prompt; the slug follows the title until somebody edits it', {}, async (page) => {
  await page.goto('/prompts');
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('c');
  await page.waitForURL('**/prompts/new');
  await focused(page, 'title');
  await page.keyboard.type('Grüße, Anaïs!');
  assert.equal(await page.inputValue('[name="slug"]'), 'grusse-anais');
  await page.fill('[name="slug"]', 'my-own');
  await page.fill('[name="title"]', 'Something else');
  assert.equal(await page.inputValue('[name="slug"]'), 'my-own');
  await page.fill('[name="slug"]', 'Not allowed');
  await page.getByText('Small letters only').waitFor();
});

pageTest('a slug that is taken is said before saving, and by whom', {}, async (page) => {
  const other = await makePrompt();
  await page.goto('/prompts/new');
  await page.fill('[name="title"]', other.title);
  await page.getByText(`“${other.title}” has this slug already.`).waitFor();
  await page.fill('[name="content"]', 'x');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await focused(page, 'slug');
  await expectAccessible(page);
});

pageTest('what is missing is said in place, first field first', {}, async (page) => {
  await page.goto('/prompts/new');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Give it a title').waitFor();
  await page.getByText('Write the text of the prompt').waitFor();
  await focused(page, 'title');
  await expectAccessible(page);
});

pageTest('saving keeps a prompt that is not live; publishing with it makes it live', {}, async (page) => {
  const quiet = unique('Quiet');
  await page.goto('/prompts/new');
  await page.fill('[name="title"]', quiet);
  await page.fill('[name="content"]', 'Hello {{ name }}');
  await page.getByText('Variable:').waitFor();
  await page.keyboard.press('Control+s');
  await page.waitForURL(/\/prompts\/quiet-/);
  assert.equal((await api('GET', `/prompts/${page.url().split('/').pop()}/details`)).live, null);

  const loud = unique('Loud');
  await page.goto('/prompts/new');
  await page.fill('[name="title"]', loud);
  await page.fill('[name="content"]', 'Hello {{ name }}');
  await page.getByRole('button', { name: 'Save and publish' }).click();
  await page.waitForURL(/\/prompts\/loud-/);
  assert.equal((await api('GET', `/prompts/${page.url().split('/').pop()}/details`)).live.version, 1);
});

pageTest('a chat prompt is written as messages', {}, async (page) => {
  await page.goto('/prompts/new');
  await page.fill('[name="title"]', unique('Talk'));
  await page.getByText('Chat messages').click();
  await page.getByLabel('Message 1, system').fill('You are kind.');
  await page.getByLabel('Message 2, user').fill('{{ question }}');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForURL(/\/prompts\/talk-/);
  const { version, type } = await api('GET', `/prompts/${page.url().split('/').pop()}/details`);
  assert.equal(type, 'chat');
  assert.deepEqual(
    version.messages.map(({ role, content }) => [role, content]),
    [
      ['system', 'You are kind.'],
      ['user', '{{ question }}'],
    ],
  );
});

pageTest('unsaved work is not left without asking, and survives a reload', {}, async (page) => {
  await page.goto('/prompts/new');
  await page.fill('[name="title"]', 'Half a thought');
  await page.fill('[name="content"]', 'and the rest of it');
  await page.getByRole('link', { name: 'Labels' }).click();
  const dialog = page.getByRole('dialog', { name: 'Leave without saving?' });
  await dialog.waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Keep editing' }).click();
  assert.equal(await page.inputValue('[name="title"]'), 'Half a thought');

  await until(page, () => sessionStorage.getItem('xr2-new-prompt')?.includes('the rest of it'));
  page.on('dialog', (question) => question.accept());
  await page.reload();
  await page.getByText('This is what you began earlier').waitFor();
  assert.equal(await page.inputValue('[name="content"]'), 'and the rest of it');

  await page.getByRole('link', { name: 'Labels' }).click();
  await dialog.getByRole('button', { name: 'Leave' }).click();
  await page.waitForURL('**/labels');
  await page.goto('/prompts/new');
  assert.equal(await page.inputValue('[name="title"]'), '');
});

pageTest('what looks like a secret is warned of where it is written, and can be waved away', {}, async (page) => {
  await page.goto('/prompts/new');
  await page.fill('[name="content"]', 'Call it with AKIAIOSFODNN7EXAMPLE, please.');
  const notice = page.getByRole('status').filter({ hasText: 'This looks like an AWS access key' });
  await notice.waitFor();
  await expectAccessible(page);
  await notice.getByRole('button', { name: 'This is no secret' }).click();
  await notice.waitFor({ state: 'detached' });
  await page.fill('[name="content"]', 'Hello {{ name }}.');
});
