import assert from 'node:assert/strict';
import { raw, unique } from './support/api.mjs';
import { expectAccessible, expectNoSidewaysScroll, pageTest, until, views } from './support/browser.mjs';

const address = (name) => `${unique(name).replace(' ', '.')}@example.com`;

/** Makes an account through the page; a workspace of its own comes with it. */
async function signUp(page, name) {
  const email = address(name.toLowerCase().replace(' ', '-'));
  await page.goto('/register');
  await page.fill('[name="name"]', name);
  await page.fill('[name="email"]', email);
  await page.fill('[name="password"]', 'correct horse battery staple');
  await page.click('button[type="submit"]');
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  return email;
}

pageTest('somebody is invited by a link, joins with a new account, and is a member', { anonymous: true }, async (page, context) => {
  await signUp(page, 'Olga Owner');
  await page.goto('/members');
  await page.getByRole('button', { name: 'Invite people' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('[name="email"]').fill('no address');
  await dialog.getByRole('button', { name: 'Invite', exact: true }).click();
  await dialog.getByText('is no e-mail address').waitFor();
  const email = address('nina');
  await dialog.locator('[name="email"]').fill(email);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Invite', exact: true }).click();
  const link = await dialog.getByTestId('link').textContent();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('list', { name: 'Invitations' }).getByText(email).waitFor();

  // The one who invited cannot use it.
  const path = new URL(link).pathname + new URL(link).hash;
  await page.goto(path);
  await page.getByText('Invitations cannot be passed on').waitFor();
  await expectAccessible(page);
  await context.clearCookies();
  await page.reload();
  await page.getByRole('heading', { name: 'Join “Olga Owner”' }).waitFor();
  await expectAccessible(page);
  await page.fill('[name="name"]', 'Nina Newcomer');
  await page.fill('[name="password"]', 'correct horse battery staple');
  await page.getByRole('button', { name: 'Make account and join' }).click();
  await page.getByRole('button', { name: 'Workspace: Olga Owner. Change it' }).waitFor();
  await page.goto('/members');
  const members = page.getByRole('list', { name: 'Members' });
  await members.getByText('Nina Newcomer').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Invite people' }).count(), 0);

  await page.goto(path);
  await page.getByRole('heading', { name: 'This invitation works no more' }).waitFor();
});

pageTest('an invitation is taken back, and its link works no more', { anonymous: true }, async (page) => {
  await signUp(page, 'Ralf Revoker');
  await page.goto('/members');
  await page.getByRole('button', { name: 'Invite people' }).click();
  const emails = [address('one'), address('two')];
  await page.getByRole('dialog').locator('[name="email"]').fill(emails.join(', '));
  await page.getByRole('dialog').getByRole('button', { name: 'Invite 2 people' }).click();
  const link = await page.getByRole('dialog').getByTestId('link').first().textContent();
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: `Take back the invitation of ${emails[0]}` }).click();
  await page.getByText(`The invitation of ${emails[0]} is taken back`).waitFor();
  await page.getByRole('button', { name: `Take back the invitation of ${emails[0]}` }).waitFor({ state: 'detached' });
  await page.goto(new URL(link).pathname + new URL(link).hash);
  await page.getByRole('heading', { name: 'This invitation works no more' }).waitFor();
});

pageTest('a role is changed, something is forbidden beside it, and a member is removed', { anonymous: true }, async (page) => {
  await signUp(page, 'Rita Ruler');
  const email = address('mo');
  const link = await page.evaluate(async (invited) => {
    const call = async (method, route, body) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`/api/v1${route}`, { method, headers, body: body && JSON.stringify(body) });
      return (await answer.json()).data;
    };
    const { workspaces } = await call('GET', '/auth/me');
    return (await call('POST', `/workspaces/${workspaces[0].id}/members`, { email: invited, role: 'editor' })).link;
  }, email);
  const token = new URL(link).hash.replace('#token=', '');
  const body = { name: 'Mo Member', password: 'correct horse battery staple' };
  assert.equal((await raw('POST', `/invitations/${token}/accept`, { body })).status < 300, true);

  await page.goto('/members');
  const row = page.getByRole('list', { name: 'Members' }).getByRole('listitem').filter({ hasText: email });
  await row.getByLabel('Role of Mo Member').selectOption('admin');
  await until(page, () => document.querySelector('select[aria-label="Role of Mo Member"]')?.disabled === false);
  await row.getByRole('button', { name: 'More about Mo Member' }).click();
  await page.getByRole('menuitem', { name: 'Allow or forbid…' }).click();
  const rights = page.getByRole('dialog');
  await rights.getByRole('radiogroup', { name: /^Publish/ }).getByText('Forbid').click();
  await expectAccessible(page);
  await rights.getByRole('button', { name: 'Keep changes' }).click();
  await row.getByText('Not: publish').waitFor();
  await row.getByRole('button', { name: 'More about Mo Member' }).click();
  await page.getByRole('menuitem', { name: 'Remove…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await row.waitFor({ state: 'detached' });
});

pageTest('a workspace is made, renamed, and changed for another one', { anonymous: true }, async (page) => {
  await signUp(page, 'Wanda Worker');
  await page.getByRole('button', { name: /^Workspace: / }).click();
  await page.getByRole('menuitem', { name: 'New workspace' }).click();
  const name = unique('Second place');
  await page.getByRole('dialog').locator('[name="name"]').fill(name);
  await page.getByRole('button', { name: 'Make workspace' }).click();
  await page.getByRole('button', { name: `Workspace: ${name}. Change it` }).waitFor();

  await page.goto('/settings');
  await page.fill('main [name="name"]', `${name} renamed`);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: `Workspace: ${name} renamed. Change it` }).click();
  await page.getByRole('menuitem', { name: 'Wanda Worker' }).click();
  await page.getByRole('button', { name: 'Workspace: Wanda Worker. Change it' }).waitFor();
});

for (const view of Object.keys(views)) {
  for (const path of ['/members', '/settings']) {
    pageTest(`${path} is accessible and fits (${view})`, { view }, async (page) => {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await until(page, () => !document.querySelector('.mantine-Skeleton-root'));
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    });
  }
}
