import assert from 'node:assert/strict';
import { makePrompt, unique } from './support/api.mjs';
import { expectAccessible, expectNoSidewaysScroll, pageTest, until, views } from './support/browser.mjs';

pageTest('the palette reaches any prompt by keyboard alone', {}, async (page) => {
  const { title, slug } = await makePrompt({ title: unique('Palette target') });
  await page.goto('/labels');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').waitFor();
  await page.keyboard.type(title);
  await page.getByRole('option', { name: new RegExp(slug) }).waitFor();
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/prompts/${slug}`);
});

pageTest('Enter in the palette never opens what was found for other words', {}, async (page) => {
  const { title, slug } = await makePrompt({ title: unique('Palette target') });
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  await page.route(/\/api\/v1\/prompts\?.*search=/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto('/labels');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('option').first().waitFor();
  await page.keyboard.type('no such words anywhere');
  await page.keyboard.press('Enter');
  await page.getByText('Searching…').waitFor();
  assert.match(page.url(), /\/labels$/);
  answer();
  await page.getByText('Nothing found for').waitFor();
  await page.getByRole('combobox').fill(title);
  await page.getByRole('option', { name: new RegExp(slug) }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/prompts/${slug}`);
});

pageTest('an address of a prompt that is not there says so and leads on', {}, async (page) => {
  await page.goto('/prompts/nobody-wrote-this');
  await page.getByRole('heading', { name: 'There is no such prompt' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Go to your prompts' }).click();
  await page.waitForURL('**/prompts');
});

pageTest('? shows the keys of this page', {}, async (page) => {
  await page.goto('/prompts?category=support');
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('?');
  const map = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await map.getByText('Write a new prompt').waitFor();
  await map.getByText('Next prompt').waitFor();
  await expectAccessible(page);
});

pageTest('a navigation names the page and puts the keyboard at its start', {}, async (page) => {
  await page.goto('/prompts');
  await page.getByRole('link', { name: 'Labels' }).click();
  await until(page, () => document.title === 'Labels · xr2');
  await until(page, () => document.activeElement?.id === 'main');
});

pageTest('the first tab stop skips to the content', {}, async (page) => {
  await page.goto('/prompts');
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
});

pageTest('a menu opens and is walked by keyboard', {}, async (page) => {
  await page.goto('/prompts');
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('j');
  // Behind the title stands the star, and then the menu.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('ArrowDown');
  await until(page, () => document.activeElement?.getAttribute('role') === 'menuitem');
  await page.keyboard.press('Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
});

pageTest('the sidebar folds and stays so', {}, async (page) => {
  await page.goto('/prompts?category=support');
  await page.getByRole('button', { name: 'Fold the sidebar' }).click();
  await page.reload();
  await page.getByRole('button', { name: 'Unfold the sidebar' }).waitFor();
  await page.getByRole('link', { name: 'Labels' }).waitFor();
  await expectAccessible(page);
});

pageTest('on a phone the menu is a drawer', { view: 'phone' }, async (page) => {
  await page.goto('/prompts');
  await page.getByRole('button', { name: 'Open the menu' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Labels' }).click();
  await page.waitForURL('**/labels');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

pageTest('an address that names nothing says so', {}, async (page) => {
  await page.goto('/no/such/page');
  await page.getByRole('heading', { name: 'This page does not exist' }).waitFor();
  await expectAccessible(page);
});

pageTest('when the server cannot be reached, the page says that nothing is lost', {}, async (page) => {
  await page.goto('/labels');
  await page.getByRole('listitem').filter({ hasText: 'production' }).waitFor();
  await page.route('**/api/v1/prompts**', (route) => route.abort());
  await page.getByRole('link', { name: 'Prompts', exact: true }).click();
  await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
  await expectAccessible(page);
  await page.unroute('**/api/v1/prompts**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('row').nth(1).waitFor();
});

// The list with some of the demo's prompts, not with everything that other tests have made.
const pages = ['/prompts?category=support', '/prompts/new', '/prompts/bin', '/tags', '/labels', '/api-keys', '/account'];

for (const view of Object.keys(views)) {
  for (const address of pages) {
    pageTest(`${address} is accessible and fits (${view})`, { view }, async (page) => {
      await page.goto(address);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await until(page, () => !document.querySelector('.mantine-Skeleton-root'));
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    });
  }
  for (const address of ['/login', '/register']) {
    pageTest(`${address} is accessible and fits (${view})`, { view, anonymous: true }, async (page) => {
      await page.goto(address);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    });
  }
}
