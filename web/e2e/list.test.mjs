import assert from 'node:assert/strict';
import { api, makePrompt, raw, session, unique } from './support/api.mjs';
import { expectAccessible, pageTest, until } from './support/browser.mjs';

const row = (page, title) => page.getByRole('row').filter({ hasText: title });

pageTest('search finds as one types, keeps the keyboard, and stands in the address', {}, async (page) => {
  const wanted = await makePrompt({ title: unique('Findable zebra') });
  await page.goto('/prompts');
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type(wanted.title, { delay: 5 });
  await page.getByText('1 prompt', { exact: true }).waitFor();
  await row(page, wanted.title).waitFor();
  assert.match(page.url(), /q=Findable/);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'search');

  await page.reload();
  await row(page, wanted.title).waitFor();
  assert.equal(await page.inputValue('input[type="search"]'), wanted.title);

  await page.getByRole('button', { name: 'Clear all' }).click();
  await until(page, () => !location.search.includes('q='));
  assert.equal(await page.inputValue('input[type="search"]'), '');
});

pageTest('a search without a hit says so and leads back', {}, async (page) => {
  await page.goto('/prompts?q=nothing-has-this-name-at-all');
  await page.getByText('Nothing matches').waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Show all prompts' }).click();
  await page.getByRole('row').nth(1).waitFor();
});

pageTest('filters narrow the list and can be taken off', {}, async (page) => {
  const tag = unique('tag').replace(' ', '-');
  const wanted = await makePrompt({ tags: [tag], category: 'Browser tests' });
  await page.goto('/prompts');
  await page.getByRole('button', { name: 'Tag' }).click();
  await page.getByRole('option', { name: tag }).click();
  await page.getByText('1 prompt', { exact: true }).waitFor();
  await row(page, wanted.title).waitFor();
  assert.match(page.url(), new RegExp(`tag=${tag}`));
  await page.getByRole('button', { name: `Tag: ${tag}. Remove this filter` }).click();
  await until(page, () => !location.search.includes('tag='));
});

pageTest('j and k walk the rows, Enter opens one, and back returns', {}, async (page) => {
  await makePrompt();
  await makePrompt();
  await page.goto('/prompts');
  await page.getByRole('row').nth(2).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const second = await page.evaluate(() => document.activeElement?.textContent);
  await page.keyboard.press('k');
  const first = await page.evaluate(() => document.activeElement?.textContent);
  assert.notEqual(first, second);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/prompts\/[^/]+$/);
  await page.goBack();
  await page.waitForURL('**/prompts');
});

pageTest('what goes to the bin can be taken back at once', {}, async (page) => {
  const { title, slug } = await makePrompt();
  await page.goto(`/prompts?q=${encodeURIComponent(title)}`);
  await page.getByRole('button', { name: `Actions for ${title}` }).click();
  await expectAccessible(page);
  await page.getByRole('menuitem', { name: 'Move to bin' }).click();
  await row(page, title).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(page, title).waitFor();
  assert.equal((await api('GET', `/prompts/${slug}/details`)).deleted_at, null);
});

pageTest('a prompt that clients use is not binned without saying so', {}, async (page) => {
  const { title, slug } = await makePrompt({ publish: true });
  const key = await api('POST', '/api-keys', { name: unique('fetcher') });
  const fetched = await raw('GET', `/prompts/${slug}?name=A&place=B`, { token: key.key });
  assert.equal(fetched.status, 200);
  await page.goto(`/prompts?q=${encodeURIComponent(title)}`);
  // The server writes uses in batches, so the refusal may need a moment to become true.
  await page.waitForFunction(
    async (address) => (await (await fetch(address)).json()).data.last_fetched_at !== null,
    `/api/v1/prompts/${slug}/details?workspace=${(await session()).workspace}`,
  );
  await page.getByRole('button', { name: `Actions for ${title}` }).click();
  await page.getByRole('menuitem', { name: 'Move to bin' }).click();
  const dialog = page.getByRole('dialog', { name: /is in use/ });
  await dialog.waitFor();
  await dialog.getByText('A client fetched it').waitFor();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await row(page, title).waitFor();
  await api('DELETE', `/api-keys/${key.id}`);
});

pageTest('an archived prompt leaves the list and is found in the archive', {}, async (page) => {
  const { title } = await makePrompt();
  await page.goto(`/prompts?q=${encodeURIComponent(title)}`);
  await page.getByRole('button', { name: `Actions for ${title}` }).click();
  await page.getByRole('menuitem', { name: 'Archive', exact: true }).click();
  await page.getByText('Nothing matches').waitFor();
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Archived' }).click();
  await row(page, title).getByText('Archived').waitFor();
});

pageTest('a duplicate opens at once', {}, async (page) => {
  const { title, slug } = await makePrompt();
  await page.goto(`/prompts?q=${encodeURIComponent(title)}`);
  await page.getByRole('button', { name: `Actions for ${title}` }).click();
  await page.getByRole('menuitem', { name: 'Duplicate' }).click();
  await page.waitForURL((address) => /^\/prompts\/.+/.test(address.pathname) && address.pathname !== `/prompts/${slug}`);
});

pageTest('a page that is open shows what somebody else publishes within a second', {}, async (page) => {
  const { title, slug } = await makePrompt({ publish: true });
  await page.goto(`/prompts?q=${encodeURIComponent(title)}`);
  await row(page, title).getByText('Live v1').waitFor();
  await api('POST', `/prompts/${slug}/versions`, { content: 'Good day {{ name }}', publish: true });
  const began = Date.now();
  await row(page, title).getByText('Live v2').waitFor();
  assert.ok(Date.now() - began < 1000, `it took ${Date.now() - began} ms`);
});

pageTest('several prompts are ticked by keyboard, binned together and taken back together', {}, async (page) => {
  const word = unique('Together').replace(' ', '-');
  const first = await makePrompt({ title: `${word} one` });
  const second = await makePrompt({ title: `${word} two` });
  await page.goto(`/prompts?q=${word}`);
  await page.getByText('2 prompts', { exact: true }).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  const bar = page.getByRole('region', { name: 'Ticked prompts' });
  await bar.getByText('2 ticked').waitFor();
  await expectAccessible(page);
  await bar.getByRole('button', { name: 'Move to bin' }).click();
  await page.getByText('2 prompts are in the bin.').waitFor();
  await page.getByText('Nothing matches').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(page, first.title).waitFor();
  await row(page, second.title).waitFor();
});

pageTest('a refused prompt of many stays as it was, is named with the reason, and can go all the same', {}, async (page) => {
  const word = unique('Mixed').replace(' ', '-');
  const free = await makePrompt({ title: `${word} free` });
  const used = await makePrompt({ title: `${word} used`, slug: unique('snippet').replace(' ', '-') });
  await makePrompt({ syntax: 'jinja', content: `{% include "${used.slug}" %}`, publish: true });
  await page.goto(`/prompts?q=${word}`);
  await page.getByRole('checkbox', { name: `Tick ${used.title}` }).click();
  const bar = page.getByRole('region', { name: 'Ticked prompts' });
  await bar.getByRole('button', { name: 'Tick all 2' }).click();
  await bar.getByText('2 ticked').waitFor();
  await bar.getByRole('button', { name: 'Move to bin' }).click();
  const report = page.getByRole('dialog', { name: '1 of 2 prompts stayed as it was' });
  await report.getByText(used.title).waitFor();
  await expectAccessible(page);
  await row(page, free.title).waitFor({ state: 'detached' });
  await report.getByRole('button', { name: 'Move it to the bin anyway' }).click();
  await row(page, used.title).waitFor({ state: 'detached' });
});

pageTest('many are tagged at once, and the undo takes off only what was put on', {}, async (page) => {
  const word = unique('Tagged').replace(' ', '-');
  const before = await makePrompt({ title: `${word} one`, tags: ['kept'] });
  const other = await makePrompt({ title: `${word} two` });
  await page.goto(`/prompts?q=${word}`);
  await page.getByRole('checkbox', { name: `Tick ${before.title}` }).click();
  await page.getByRole('checkbox', { name: `Tick ${other.title}` }).click();
  await page.getByRole('region', { name: 'Ticked prompts' }).getByRole('button', { name: 'Tag' }).click();
  const dialog = page.getByRole('dialog', { name: 'Tag 2 prompts' });
  await dialog.getByLabel('Tags', { exact: true }).fill('kept');
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Add tags' }).click();
  await row(page, other.title).getByText('#kept').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(page, other.title).getByText('#kept').waitFor({ state: 'detached' });
  await row(page, before.title).getByText('#kept').waitFor();
});
