import assert from 'node:assert/strict';
import { raw } from './support/api.mjs';
import { expectAccessible, pageTest, until } from './support/browser.mjs';
import { email, password } from './support/config.mjs';

pageTest('a name can be changed and is shown everywhere', {}, async (page) => {
  await page.goto('/account');
  const field = page.locator('[name="name"]');
  const before = await field.inputValue();
  await field.fill(`${before} Renamed`);
  await page.getByRole('button', { name: 'Save name' }).click();
  await page.getByRole('button', { name: `${before} Renamed: your menu` }).waitFor();
  await field.fill(before);
  await page.getByRole('button', { name: 'Save name' }).click();
  await page.getByRole('button', { name: `${before}: your menu` }).waitFor();
});

pageTest('the colours follow the choice, at once and after a reload', {}, async (page) => {
  const scheme = () => page.evaluate(() => document.documentElement.dataset.mantineColorScheme);
  await page.goto('/account');
  await page.getByText('Dark', { exact: true }).click();
  await until(page, () => document.documentElement.dataset.mantineColorScheme === 'dark');
  await page.reload();
  assert.equal(await scheme(), 'dark');
  await expectAccessible(page);
  await page.getByText('Like the system', { exact: true }).click();
  await until(page, () => document.documentElement.dataset.mantineColorScheme === 'light');
});

pageTest('a wrong present password is said in place', {}, async (page) => {
  await page.goto('/account');
  await page.fill('[name="current_password"]', 'certainly not this one');
  await page.fill('[name="new_password"]', 'correct horse battery staple');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('That is not your present password').waitFor();
});

pageTest('another session is listed and can be ended', {}, async (page) => {
  const answer = await raw('POST', '/auth/login', { body: { email, password } });
  const { token } = (await answer.json()).data;
  await page.goto('/account');
  const programs = page.getByRole('listitem').filter({ hasText: 'node' });
  await programs.first().waitFor();
  assert.equal((await raw('GET', '/auth/me', { token })).status, 200);
  // The newest one stands first among the programs.
  await programs.first().getByRole('button', { name: /End the session/ }).click();
  await page.getByText('That browser is signed out').waitFor();
});
