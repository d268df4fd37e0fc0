import { makePrompt, unique } from './support/api.mjs';
import { expectAccessible, pageTest } from './support/browser.mjs';

const row = (page, title) => page.getByRole('row').filter({ hasText: title });

pageTest('filters are kept as a view, shown again, and deleted', {}, async (page) => {
  const word = unique('Viewed').replace(' ', '-');
  const live = await makePrompt({ title: `${word} live`, publish: true });
  const waiting = await makePrompt({ title: `${word} waiting`, publish: false });
  await page.goto(`/prompts?q=${word}`);
  await row(page, live.title).waitFor();
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Not live' }).click();
  await page.keyboard.press('Escape');
  await row(page, live.title).waitFor({ state: 'detached' });
  await row(page, waiting.title).waitFor();

  await page.getByRole('button', { name: 'Keep as view' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill(word);
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: word });
  await link.waitFor();
  await page.getByRole('heading', { name: word }).waitFor();

  await page.goto('/labels');
  await link.click();
  await row(page, waiting.title).waitFor();
  await page.getByRole('button', { name: `Actions for the view ${word}` }).click();
  await page.getByRole('menuitem', { name: 'Delete view' }).click();
  await link.waitFor({ state: 'detached' });
});

pageTest('a star makes a favourite', {}, async (page) => {
  const { title } = await makePrompt();
  await page.goto(`/prompts?q=${encodeURIComponent(title)}`);
  const star = page.getByRole('button', { name: `${title} is a favourite` });
  await star.click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Favourites' }).click();
  await page.getByRole('heading', { name: 'Favourites' }).waitFor();
  await star.click();
  await row(page, title).waitFor({ state: 'detached' });
});
