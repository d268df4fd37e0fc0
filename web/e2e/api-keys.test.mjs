import assert from 'node:assert/strict';
import { makePrompt, raw, unique } from './support/api.mjs';
import { expectAccessible, pageTest } from './support/browser.mjs';

const fetchWith = async (key, slug) => (await raw('GET', `/prompts/${slug}?name=A&place=B`, { token: key })).status;

pageTest('a key is made, shown once, works, is rotated with an overlap, and revoked', {}, async (page) => {
  const { slug } = await makePrompt({ publish: true });
  const name = unique('Website');
  await page.goto('/api-keys');
  await page.getByRole('button', { name: /New API key/ }).first().click();
  const form = page.getByRole('dialog', { name: 'New API key' });
  await form.getByRole('button', { name: 'Make key' }).click();
  await form.getByText('Name it after what will use it').waitFor();
  await form.locator('[name="name"]').fill(name);
  await expectAccessible(page);
  await form.getByRole('button', { name: 'Make key' }).click();

  const shown = page.getByRole('dialog', { name: 'Your new key' });
  const key = await shown.getByTestId('new-key').textContent();
  assert.match(key, /^xr2_/);
  await shown.getByRole('button', { name: 'Copy key' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await shown.getByText(/^curl -H/).waitFor();
  await expectAccessible(page);
  await shown.getByRole('button', { name: 'I have copied it' }).click();
  assert.ok(!(await page.content()).includes(key), 'the key is still on the page');
  assert.equal(await fetchWith(key, slug), 200);

  await page.getByRole('button', { name: `Rotate ${name}` }).click();
  const rotate = page.getByRole('dialog', { name: `Rotate “${name}”` });
  await rotate.getByRole('button', { name: 'Make the new key' }).click();
  const second = await shown.getByTestId('new-key').textContent();
  await shown.getByRole('button', { name: 'I have copied it' }).click();
  assert.equal(await fetchWith(key, slug), 200, 'the old key still works');
  assert.equal(await fetchWith(second, slug), 200, 'the new key works');

  const fresh = page.getByRole('listitem').filter({ hasText: second.slice(-4) }).filter({ hasText: 'Active' });
  await fresh.getByRole('button', { name: `Revoke ${name}` }).click();
  const revoke = page.getByRole('dialog', { name: `Revoke “${name}”?` });
  await expectAccessible(page);
  await revoke.getByRole('button', { name: 'Revoke key' }).click();
  await page.getByText('It is refused from now on').waitFor();
  assert.equal(await fetchWith(second, slug), 401);
});

pageTest('a key for browsers asks for the pages that may use it', {}, async (page) => {
  const name = unique('Page');
  await page.goto('/api-keys');
  await page.getByRole('button', { name: /New API key/ }).first().click();
  const form = page.getByRole('dialog', { name: 'New API key' });
  await form.locator('[name="name"]').fill(name);
  await form.getByText('In a browser or an app').click();
  await form.getByRole('button', { name: 'Make key' }).click();
  await form.getByText('Name at least one address').waitFor();
  await form.getByLabel('Addresses of the pages that may use it').fill('https://app.example.com');
  await page.keyboard.press('Enter');
  await form.getByRole('button', { name: 'Make key' }).click();
  const shown = page.getByRole('dialog', { name: 'Your new key' });
  assert.match(await shown.getByTestId('new-key').textContent(), /^xr2_pub_/);
});
