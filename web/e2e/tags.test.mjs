import { makePrompt, unique } from './support/api.mjs';
import { expectAccessible, pageTest } from './support/browser.mjs';

pageTest('a tag is renamed everywhere, and becomes one with another of the same name', {}, async (page) => {
  const word = () => unique('tag').replace(' ', '-');
  const [first, second, third] = [word(), word(), word()];
  const { slug } = await makePrompt({ tags: [first, second] });
  await page.goto('/tags');
  await page.getByRole('button', { name: `Rename ${first}` }).click();
  const dialog = page.getByRole('dialog', { name: `Rename the tag “${first}”` });
  await dialog.getByLabel('Name').fill(third);
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  await page.getByText(`#${third}`, { exact: true }).waitFor();

  await page.getByRole('button', { name: `Rename ${third}` }).click();
  await page.getByRole('dialog').getByLabel('Name').fill(second);
  await page.getByRole('dialog').getByRole('button', { name: 'Make one of both' }).click();
  await page.getByText(`#${third}`, { exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('link', { name: `1 prompt with ${second}` }).click();
  await page.getByRole('row').filter({ hasText: slug }).waitFor();
});

pageTest('a category is removed from all prompts after saying so', {}, async (page) => {
  const category = unique('Category');
  await makePrompt({ category });
  await page.goto('/tags?kind=categories');
  await page.getByRole('button', { name: `Remove ${category}` }).click();
  const dialog = page.getByRole('dialog', { name: `Remove the category “${category}” from 1 prompt?` });
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Remove category' }).click();
  await page.getByText(category, { exact: true }).waitFor({ state: 'detached' });
});
