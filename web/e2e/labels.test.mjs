import assert from 'node:assert/strict';
import { api, makePrompt, unique } from './support/api.mjs';
import { expectAccessible, pageTest } from './support/browser.mjs';

const row = (page, name) => page.getByRole('listitem').filter({ hasText: name });

pageTest('a label is made, changed, deleted and taken back', {}, async (page) => {
  const name = unique('stage').replace(' ', '-');
  await page.goto('/labels');
  await row(page, 'production').waitFor();
  await page.getByRole('button', { name: 'New label' }).click();
  const form = page.getByRole('dialog', { name: 'New label' });
  await form.locator('[name="name"]').fill('latest');
  await form.getByRole('button', { name: 'Make label' }).click();
  await form.getByText('always means the newest version').waitFor();
  await form.locator('[name="name"]').fill(name);
  await form.locator('[name="description"]').fill('To try things in');
  await form.getByRole('switch', { name: 'Protected' }).press('Space');
  await expectAccessible(page);
  await form.getByRole('button', { name: 'Make label' }).click();
  await row(page, name).getByText('Protected').waitFor();

  await page.getByRole('button', { name: `Edit ${name}` }).click();
  const edit = page.getByRole('dialog', { name: `Edit “${name}”` });
  await edit.locator('[name="description"]').fill('Changed words');
  await edit.getByRole('button', { name: 'Keep changes' }).click();
  await row(page, name).getByText('Changed words').waitFor();

  await page.getByRole('button', { name: `Delete ${name}` }).click();
  await row(page, name).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(page, name).getByText('Changed words').waitFor();
  await api('DELETE', `/labels/${name}`);
});

pageTest('a label in use names the prompts before it goes', {}, async (page) => {
  const name = unique('used').replace(' ', '-');
  const { slug } = await makePrompt({ publish: true });
  await api('POST', '/labels', { name });
  await api('PUT', `/prompts/${slug}/labels/${name}`, { version: 1 });
  await page.goto('/labels');
  await page.getByRole('button', { name: `Delete ${name}` }).click();
  const dialog = page.getByRole('dialog', { name: `Delete the label “${name}”?` });
  await dialog.getByText(slug).waitFor();
  await dialog.getByRole('button', { name: 'Delete label' }).click();
  await row(page, name).waitFor({ state: 'detached' });
  assert.ok(!(await api('GET', `/prompts/${slug}/details`)).labels[name]);
});
