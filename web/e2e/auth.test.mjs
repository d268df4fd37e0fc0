import assert from 'node:assert/strict';
import { unique } from './support/api.mjs';
import { expectAccessible, pageTest, until } from './support/browser.mjs';
import { email, password, url } from './support/config.mjs';

pageTest('a deep link leads through the sign-in and back to where it pointed', { anonymous: true }, async (page) => {
  await page.goto('/labels');
  await page.waitForURL('**/login?next=%2Flabels');
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', password);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/labels');
  await page.getByRole('heading', { level: 1, name: 'Labels' }).waitFor();
});

pageTest('the way back never leaves this server', { anonymous: true }, async (page) => {
  await page.goto('/login?next=//example.com/');
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', password);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${url}/`);
});

pageTest('a wrong password is said in words and keeps the email', { anonymous: true }, async (page) => {
  await page.goto('/login');
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', 'certainly not this one');
  await page.click('button[type="submit"]');
  await page.getByRole('alert').getByText('do not go together').waitFor();
  assert.equal(await page.inputValue('[name="email"]'), email);
  await expectAccessible(page);
});

pageTest('somebody new signs up, lands in an empty workspace, and signs out', { anonymous: true }, async (page) => {
  await page.goto('/register');
  await page.fill('[name="name"]', 'Ada Newcomer');
  await page.fill('[name="email"]', `${unique('ada').replace(' ', '.')}@example.com`);
  await page.fill('[name="password"]', 'too short');
  await page.click('button[type="submit"]');
  await page.getByText('1 more character').waitFor();
  await page.fill('[name="password"]', 'correct horse battery staple');
  await page.click('button[type="submit"]');
  await page.getByText('Write your first prompt').waitFor();
  await expectAccessible(page);

  await page.getByRole('button', { name: /your menu/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL('**/login');
  await page.goto('/prompts');
  await page.waitForURL('**/login?next=%2Fprompts');
});

pageTest('an address that has an account is said beside its field', { anonymous: true }, async (page) => {
  await page.goto('/register');
  await page.fill('[name="name"]', 'Somebody');
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', 'correct horse battery staple');
  await page.click('button[type="submit"]');
  await page.getByText('There is an account with this email already').waitFor();
  await until(page, () => document.activeElement?.getAttribute('name') === 'email');
});

pageTest('a set-up link that has done its work says so', { anonymous: true }, async (page) => {
  await page.goto('/setup#token=spent');
  await page.getByRole('heading', { name: 'This server is set up' }).waitFor();
});

pageTest('a session that ends while somebody writes asks for the password in place', {}, async (page, context) => {
  await page.goto('/prompts/new');
  await page.fill('[name="content"]', 'This must not be lost.');
  await context.clearCookies();
  await page.fill('[name="slug"]', unique('still here').replaceAll(' ', '-'));
  const dialog = page.getByRole('dialog', { name: 'You were signed out' });
  await dialog.waitFor();
  await expectAccessible(page);
  await dialog.locator('[name="password"]').fill(password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await page.inputValue('[name="content"]'), 'This must not be lost.');
});
