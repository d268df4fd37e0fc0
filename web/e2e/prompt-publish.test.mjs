/** Going live and back: publish, roll back, and what others see of it at once. */
import assert from 'node:assert/strict';
import { api, makePrompt, raw } from './support/api.mjs';
import { pageTest } from './support/browser.mjs';
import { editor, liveText, openPrompt, saved, typeAtEnd } from './support/prompt.mjs';

async function publish(page) {
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  await page.getByRole('button', { name: 'Publish now' }).click();
  await page.getByText(/v\d+ is live\./).waitFor();
}

const livePill = (page, version) => page.getByText(`Live v${version}`).first().waitFor();

pageTest('publishing shows the difference and what callers notice, and makes it live', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await typeAtEnd(page, ' Your code is {{ code }}.');
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  const sheet = page.getByRole('dialog', { name: 'Publish' });
  await sheet.getByText(/code is new\. Callers who do not send it see \{\{code\}\}/).waitFor();
  await sheet.getByText('1 line changed').waitFor();
  await sheet.getByLabel('What changed').fill('Tell people their code');
  await sheet.getByLabel('Why (optional)').fill('Support asked for it');
  await page.keyboard.press('ControlOrMeta+Enter');
  await page.getByText('v2 is live.').waitFor();
  await livePill(page, 2);
  assert.match(await liveText(slug), /Your code is \{\{ code \}\}\.$/);
  const [version] = await api('GET', `/prompts/${slug}/versions`);
  assert.equal(version.change_summary, 'Tell people their code');
  assert.equal(await page.getByText(/published v2/).count(), 0, 'one’s own publish is no news');
});

pageTest('with nothing to publish the button says why', {}, async (page) => {
  await openPrompt(page);
  const button = page.getByRole('button', { name: 'Publish', exact: true });
  assert.equal(await button.getAttribute('aria-disabled'), 'true');
  assert.match(await page.locator(`#${await button.getAttribute('aria-describedby')}`).innerText(), /live already/);
});

pageTest(
  'a page that is open sees within a second what somebody else publishes, and keeps what is typed',
  {},
  async (page, context) => {
    const { slug } = await openPrompt(page);
    const other = await context.newPage();
    await other.goto(`/prompts/${slug}`);
    await editor(other).waitFor();
    await typeAtEnd(other, ' Half a sent');
    await typeAtEnd(page, ' More.');
    await api('POST', `/prompts/${slug}/versions`, { content: 'Changed by a program.', publish: true });
    await Promise.all([page, other].map((p) => p.getByText(/published v2/).waitFor({ timeout: 1000 })));
    await livePill(other, 2);
    assert.match(await editor(other).innerText(), / Half a sent/);
    await other.getByRole('button', { name: 'See changes' }).click();
    await other.getByRole('region', { name: 'Version 2' }).getByText('Changed by a program.').waitFor();
  },
);

pageTest('publishing over somebody else’s version asks, and loses nothing', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await typeAtEnd(page, ' Mine.');
  await saved(page);
  await api('POST', `/prompts/${slug}/versions`, { content: 'Theirs.', publish: true });
  await page.getByText(/published v2/).waitFor();
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  const sheet = page.getByRole('dialog', { name: 'Publish' });
  await sheet.getByText(/saved v2/).waitFor();
  await sheet.getByRole('button', { name: 'Compare and choose' }).click();
  const choice = page.getByRole('dialog', { name: 'Two texts, one prompt' });
  await choice.getByText('Theirs.').waitFor();
  await choice.getByRole('button', { name: 'Keep mine' }).click();
  await page.getByRole('button', { name: 'Publish now' }).click();
  await page.getByText('v3 is live.').waitFor();
  assert.match(await liveText(slug), / Mine\.$/);
});

pageTest('one click rolls back, one more takes that back', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await typeAtEnd(page, ' Worse.');
  await publish(page);
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('link', { name: /^v1/ }).click();
  await page.getByRole('button', { name: 'Make v1 live again' }).click();
  await livePill(page, 1);
  assert.doesNotMatch(await liveText(slug), /Worse/);
  await page.getByText('v1 is live again instead of v2').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await livePill(page, 2);
  assert.match(await liveText(slug), /Worse/);
  await page
    .getByText(/rolled back to v1/)
    .first()
    .waitFor();
});

pageTest('two versions are compared inline and side by side, from the address', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await typeAtEnd(page, ' Better.');
  await publish(page);
  await page.goto(`/prompts/${slug}/history?version=2&against=1`);
  const pane = page.getByRole('region', { name: 'Version 2' });
  await pane.getByText('1 line changed').waitFor();
  assert.match(await pane.locator('ins').first().innerText(), /Better\./);
  await pane.getByText('Side by side').click();
  await page.waitForURL(/view=split/);
  assert.equal(await pane.locator('thead th').count(), 2);
  await pane.getByText('Text', { exact: true }).click();
  await pane.getByText('Model settings').waitFor();
});

pageTest('an old version becomes the draft, or a new version', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await typeAtEnd(page, ' Second.');
  await publish(page);
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('link', { name: /^v1/ }).click();
  await page.getByRole('button', { name: 'Edit from here' }).click();
  await editor(page).waitFor();
  assert.doesNotMatch(await editor(page).innerText(), /Second/);
  await saved(page);
  await page.goto(`/prompts/${slug}/history?version=1`);
  await page.getByRole('button', { name: 'More for v1' }).click();
  await page.getByRole('menuitem', { name: 'Restore as a new version' }).click();
  await livePill(page, 3);
  assert.doesNotMatch(await liveText(slug), /Second/);
});

pageTest('the slug changes and the old one keeps working', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await page.getByRole('navigation', { name: 'Prompt' }).getByRole('link', { name: 'Settings' }).click();
  await page.locator('form').getByLabel('Slug').fill(`${slug}-new`);
  await page.getByText('keeps working for everyone').waitFor();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.waitForURL(`**/prompts/${slug}-new/settings`);
  await page.goto(`/prompts/${slug}`);
  await page.waitForURL(`**/prompts/${slug}-new`);
  assert.match(await liveText(slug), /^Hello/);
});

pageTest('the title is edited in place', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await page.getByLabel('Title').fill('A better title');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.title.startsWith('A better title'));
  assert.equal((await api('GET', `/prompts/${slug}/details`)).title, 'A better title');
});

pageTest('the bin explains who still uses it', {}, async (page) => {
  const { slug } = await openPrompt(page);
  await makePrompt({ syntax: 'jinja', content: `{% include "${slug}" %}`, variables: [] });
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Move to the bin' }).click();
  const dialog = page.getByRole('dialog', { name: 'Move to the bin?' });
  await dialog.getByRole('button', { name: 'Move to the bin' }).click();
  await dialog.getByText('includes its text').waitFor();
  await dialog.getByRole('button', { name: 'Move to the bin anyway' }).click();
  await page.waitForURL(/\/prompts(\?.*)?$/);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.goto(`/prompts/${slug}`);
  await editor(page).waitFor();
});

pageTest('the examples carry this address, slug and samples, and the call shows up', {}, async (page, context) => {
  const { slug } = await openPrompt(page);
  await page.getByRole('link', { name: 'Use it' }).click();
  const code = page.locator('pre').last();
  await code.getByText(`/api/v1/prompts/${slug}`).waitFor();
  assert.match(await code.innerText(), /name=Ana/);
  await page.getByText('Python', { exact: true }).click();
  await page.getByText('pip install xr2').waitFor();
  await page.getByText('Waiting for your first call…').waitFor();
  const { key } = await api('POST', '/api-keys', { name: 'For one call' });
  const answer = await raw('GET', `/prompts/${slug}?name=Bo`, { token: key });
  assert.equal(answer.status, 200);
  await page.getByText('Received: a call came in').waitFor({ timeout: 30_000 });
});
