import assert from 'node:assert/strict';
import { api, makePrompt } from './support/api.mjs';
import { expectAccessible, pageTest } from './support/browser.mjs';

pageTest('the bin is emptied after saying what goes', {}, async (page) => {
  const { title, slug } = await makePrompt();
  await api('POST', `/prompts/${slug}/archive`);
  await api('DELETE', `/prompts/${slug}?force=true`);
  await page.goto('/prompts/bin');
  await page.getByText(title).waitFor();
  await page.getByRole('button', { name: 'Empty the bin' }).click();
  const dialog = page.getByRole('dialog', { name: /for good\?$/ });
  await dialog.getByText(title).waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Empty the bin' }).click();
  await page.getByText('The bin is empty').waitFor();
});

pageTest('the bin gives back a prompt, or deletes it for good after naming it', {}, async (page) => {
  const kept = await makePrompt();
  const gone = await makePrompt();
  await api('DELETE', `/prompts/${kept.slug}?force=true`);
  await api('DELETE', `/prompts/${gone.slug}?force=true`);

  await page.goto('/prompts/bin');
  await page.getByRole('button', { name: `Restore ${kept.title}` }).click();
  await page.getByText(`“${kept.title}” is restored`).waitFor();
  assert.equal((await api('GET', `/prompts/${kept.slug}/details`)).deleted_at, null);

  await page.getByRole('button', { name: `Delete ${gone.title} for good` }).click();
  const dialog = page.getByRole('dialog', { name: `Delete “${gone.title}” for good?` });
  await dialog.waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText(`“${gone.title}” is gone for good`).waitFor();
  await assert.rejects(api('POST', `/prompts/${gone.id}/undelete`), /404/);
});
