/** Who has what: the count after a publish, the prompt's clients, the workspace's, and prompts nobody fetches. */
import assert from 'node:assert/strict';
import { api, makePrompt, raw, unique } from './support/api.mjs';
import { expectAccessible, expectNoSidewaysScroll, pageTest } from './support/browser.mjs';
import { Program } from './support/clients.mjs';
import { openPrompt, typeAtEnd } from './support/prompt.mjs';

const header = (page) => page.locator('header').filter({ has: page.getByRole('navigation', { name: 'Breadcrumb' }) });
const toast = (page) => page.getByRole('region', { name: 'Messages' });

async function publish(page) {
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  await page.getByRole('button', { name: 'Publish now' }).click();
}

pageTest('after a publish one sees client after client getting it', {}, async (page) => {
  const { slug } = await makePrompt();
  const programs = ['python/0.1.0', 'typescript/0.1.0', 'rust/0.1.0'].map((sdk) => new Program(slug, { sdk }));
  for (const program of programs) await program.has(1);
  await page.goto(`/prompts/${slug}`);
  await header(page).getByText('3 of 3 clients have it').waitFor();
  await typeAtEnd(page, ' Bye.');
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  await page.getByRole('dialog').getByText('3 running clients have it in memory').waitFor();
  await page.getByRole('button', { name: 'Publish now' }).click();
  await toast(page).getByText('v2 is live.').waitFor();
  await toast(page).getByText('0 of 3 clients have it').waitFor();
  await expectAccessible(page);
  for (const [index, program] of programs.entries()) {
    await program.has(2);
    await header(page).getByText(`${index + 1} of 3 clients have it`).waitFor();
  }
  await page.locator('[data-reach="done"]').first().waitFor();
  await toast(page).getByText('3 of 3 clients have it').waitFor();
});

pageTest('with nobody connected a publish says how calls get it', {}, async (page) => {
  await openPrompt(page);
  await typeAtEnd(page, ' Bye.');
  await publish(page);
  await toast(page).getByText('No running SDK reads it yet').waitFor();
  await header(page).getByText('never fetched').click();
  await page.getByText('appears here seconds after it has read this prompt').waitFor();
});

/** A prompt with everything that can be seen: two labels, old and new clients, a version asked for by number. */
async function make() {
  const { slug } = await makePrompt({ title: unique('Order confirmation') });
  await api('PUT', `/prompts/${slug}`, { content: 'Thank you, {{ name }}.' });
  const staging = unique('staging').replace(' ', '-');
  await api('POST', '/labels', { name: staging });
  await api('PUT', `/prompts/${slug}/labels/${staging}`, { version: 1 });
  for (let number = 0; number < 11; number += 1) await new Program(slug, { stream: number % 4 > 0 }).has(2);
  await new Program(slug, { name: 'billing-worker-7', sdk: 'typescript/0.1.0', stream: false }).has(1);
  await new Program(slug, { label: staging, sdk: 'rust/0.1.0' }).has(1);
  const made = await api('POST', '/api-keys', { name: 'Reports', scopes: ['deliver'] });
  const answer = await raw('GET', `/prompts/${slug}?version=1&render=false`, { token: made.key });
  assert.equal(answer.status, 200);
  return { slug, staging };
}

let prompt;
const made = () => (prompt ??= make());

pageTest('the prompt says which client serves which version since when, by which key', {}, async (page) => {
  const { slug, staging } = await made();
  await page.goto(`/prompts/${slug}/use`);
  const production = page.locator('[data-label="production"]');
  await production.getByText('11 of 12 clients have it').waitFor();
  await production.getByText(/Last fetched just now with the key Running programs/).waitFor();
  const rows = production.getByRole('row');
  assert.match(await rows.nth(1).innerText(), /billing-worker-7[^]*TypeScript 0\.1\.0[^]*Behind[^]*v1, got it[^]*Polling/);
  assert.match(await rows.nth(2).innerText(), /Up to date[^]*v2, got it/);
  assert.equal(await rows.count(), 9);
  await production.getByRole('button', { name: 'Show 4 more' }).click();
  await rows.nth(12).waitFor();
  assert.equal(await rows.count(), 13);
  await page.locator(`[data-label="${staging}"]`).getByText('1 of 1 client has it').waitFor();
  await page.getByText(/v1\s+Last fetched .* with the key Reports/).waitFor();
});

pageTest('the clients of the workspace are listed, searched and narrowed', {}, async (page) => {
  const { slug } = await made();
  await new Program(slug, { name: 'left-behind' }).has(1, 1);
  await page.goto('/prompts');
  await page.getByRole('link', { name: 'Clients' }).click();
  const table = page.getByRole('table', { name: 'Clients' });
  await table.getByRole('row').nth(1).waitFor();
  assert.equal(await table.getByRole('row').nth(1).getAttribute('data-state'), 'behind', 'who is behind comes first');
  await page.getByLabel('Search clients').fill(`${slug} billing`);
  await page.waitForURL(/q=/);
  await table.getByRole('row').nth(2).waitFor({ state: 'detached' });
  await table.getByText('billing-worker-7').waitFor();
  await page.getByLabel('Search clients').fill('left-behind');
  await page.getByRole('radiogroup', { name: 'Which clients' }).getByText('Behind or silent').click();
  await page.waitForURL(/which=behind/);
  await table.getByText('left-behind').waitFor();
  await page.getByLabel('Search clients').fill('nobody has this name');
  await page.getByRole('button', { name: 'Show all clients' }).click();
  await table.getByRole('row').nth(2).waitFor();
  await page.getByLabel('Search clients').fill(slug);
  await table.getByRole('link', { name: slug }).first().click();
  await page.waitForURL(`**/prompts/${slug}/use`);
});

for (const view of ['light', 'dark', 'phone', 'darkPhone']) {
  pageTest(`the pages about clients are accessible (${view})`, { view }, async (page) => {
    const { slug } = await made();
    for (const [path, sign] of [
      [`/prompts/${slug}/use`, 'table'],
      ['/clients', 'table'],
      ['/clients?q=nobody-has-this-name', 'text=Nothing matches'],
    ]) {
      await page.goto(path);
      await page.locator(sign).first().waitFor();
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    }
  });
}

pageTest('prompts that nobody fetches are found', {}, async (page) => {
  const { title, slug } = await makePrompt({ title: unique('Never used') });
  const used = await makePrompt({ title: title.replace('Never', 'Often') });
  await new Program(used.slug).has(1);
  await page.goto(`/prompts?q=${encodeURIComponent(title.split(' ').at(-1).slice(0, 6))}`);
  await page.getByRole('row').nth(1).waitFor();
  await page.getByRole('button', { name: 'Best match' }).click();
  await page.getByRole('menuitem', { name: 'Longest unused' }).click();
  await page.waitForURL(/sort=last_fetched_at/);
  await page.getByRole('row', { name: new RegExp(slug) }).getByText('never used', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Unused for 30 days' }).click();
  await page.waitForURL(/unused=true/);
  await page.getByText('Nothing matches').waitFor();
  await page.goto('/prompts?unused=true');
  await page.getByText('Every prompt is in use').waitFor();
});
