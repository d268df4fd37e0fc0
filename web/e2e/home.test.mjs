import { api, makePrompt, raw, unique } from './support/api.mjs';
import { expectAccessible, expectNoSidewaysScroll, pageTest, until, views } from './support/browser.mjs';

pageTest('the front page shows what changed last, and leads there', {}, async (page) => {
  const { slug, title } = await makePrompt({ title: unique('Changed just now') });
  await page.goto('/');
  const recent = page.getByRole('region', { name: 'Recently changed' });
  await recent.getByRole('link', { name: new RegExp(title) }).click();
  await page.waitForURL(`**/prompts/${slug}`);
});

pageTest('a draft stands among those that are not live', {}, async (page) => {
  const { slug, title } = await makePrompt({ title: unique('Half written') });
  await api('PUT', `/prompts/${slug}/draft`, { content: 'Not ready.' });
  await page.goto('/');
  await page.getByRole('region', { name: 'Drafts that are not live' }).getByRole('link', { name: new RegExp(title) }).waitFor();
});

pageTest('somebody new is led from nothing to the first call', { anonymous: true }, async (page, context) => {
  await page.goto('/register');
  await page.fill('[name="name"]', 'Bea Beginner');
  await page.fill('[name="email"]', `${unique('bea').replace(' ', '.')}@example.com`);
  await page.fill('[name="password"]', 'correct horse battery staple');
  await page.click('button[type="submit"]');
  const steps = page.getByRole('region', { name: 'From here to your first call' });
  await steps.getByRole('link', { name: 'Write your first prompt' }).click();
  await page.fill('[name="title"]', 'Welcome');
  await page.fill('[name="content"]', 'Hello.');
  await page.getByRole('button', { name: 'Save and publish' }).click();
  await page.waitForURL('**/prompts/welcome');

  await page.getByRole('link', { name: 'Home' }).click();
  await steps.getByText('2 of 4 steps done').waitFor();
  await expectAccessible(page);
  await steps.getByRole('button', { name: 'Make an API key' }).click();
  await page.fill('[role="dialog"] [name="name"]', 'Website');
  await page.getByRole('button', { name: 'Make key' }).click();
  const key = await page.getByTestId('new-key').textContent();
  await page.getByRole('button', { name: 'I have copied it' }).click();
  await steps.getByText('Waiting for your first call').waitFor();

  const answer = await raw('GET', '/prompts/welcome', { token: key });
  if (answer.status !== 200) throw new Error(`the first call: ${answer.status}`);
  const done = page.getByRole('region', { name: 'Your first call came in' });
  await done.getByRole('button', { name: 'Close' }).click();
  await done.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('region', { name: 'The last seven days' }).waitFor();
  await until(page, () => !document.getElementById('beginning'));
  await context.clearCookies();
});

for (const view of Object.keys(views)) {
  pageTest(`the front page is accessible and fits (${view})`, { view }, async (page) => {
    await page.goto('/');
    await page.getByRole('region', { name: 'Recently changed' }).getByRole('link').first().waitFor();
    await until(page, () => !document.querySelector('.mantine-Skeleton-root'));
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });
}
