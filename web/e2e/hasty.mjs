// What takes long on a server as it comes. These tests run against one with `clients.silent_after` of a few seconds.
import { api, makePrompt } from './support/api.mjs';
import { expectAccessible, pageTest } from './support/browser.mjs';
import { Program } from './support/clients.mjs';

pageTest('a client that is silent is not waited for', {}, async (page) => {
  const header = page.locator('header').filter({ has: page.getByRole('navigation', { name: 'Breadcrumb' }) });
  const { slug } = await makePrompt();
  const [quick, lost] = [new Program(slug), new Program(slug, { name: 'lost-one' })];
  try {
    await quick.runs(1);
    await lost.runs(1);
    await page.goto(`/prompts/${slug}/use`);
    await header.getByText('2 of 2 clients have it').waitFor();
    await api('PUT', `/prompts/${slug}`, { content: 'Changed by a program.' });
    await quick.runs(2);
    await header.getByText('1 of 2 clients have it').waitFor();
    const row = page.locator('[data-instance="lost-one"]');
    await row.getByText('Behind').waitFor();
    await lost.stops();
    await header.getByText('1 of 2 clients have it, 1 not heard from').waitFor();
    await row.getByText('Not heard from').waitFor();
    await expectAccessible(page);
  } finally {
    await quick.stops();
    await lost.stops();
  }
});
