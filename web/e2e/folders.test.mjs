import assert from 'node:assert/strict';
import { api, makePrompt, unique } from './support/api.mjs';
import { expectAccessible, expectNoSidewaysScroll, pageTest, until } from './support/browser.mjs';

const row = (page, title) => page.getByRole('row').filter({ hasText: title });
const folder = (page, name) => page.getByRole('treeitem', { name: new RegExp(`^${name},`) });
const makeFolder = (name, parent) => api('POST', '/folders', { name, ...(parent && { parent_folder_id: parent }) });

pageTest('folders are made, renamed and deleted from the sidebar; prompts stay', {}, async (page) => {
  const [first, second] = [unique('Folder'), unique('Renamed')];
  await page.goto('/prompts');
  await page.getByRole('button', { name: 'New folder' }).click();
  const dialog = page.getByRole('dialog', { name: 'New folder' });
  await dialog.getByLabel('Name').fill(first);
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  await folder(page, first).click();
  await page.getByRole('heading', { name: first }).waitFor();
  await page.getByText('Nothing is in here').waitFor();

  const { id } = (await api('GET', '/folders')).find(({ name }) => name === first);
  const { title, slug } = await makePrompt({ folder_ids: [id] });
  await row(page, title).waitFor();

  await folder(page, first).focus();
  await page.keyboard.press('F2');
  await page.getByRole('dialog', { name: `Rename or move “${first}”` }).getByLabel('Name').fill(second);
  await page.keyboard.press('Enter');
  await folder(page, second).waitFor();
  await expectAccessible(page);

  await folder(page, second).focus();
  await page.keyboard.press('Delete');
  await page.getByRole('dialog', { name: `Delete the folder “${second}”?` }).getByRole('button', { name: 'Delete folder' }).click();
  await folder(page, second).waitFor({ state: 'detached' });
  await until(page, () => location.search === '');
  assert.deepEqual((await api('GET', `/prompts/${slug}/details`)).folder_ids, []);
});

pageTest('arrows walk through the tree, and Enter shows what is in a folder', {}, async (page) => {
  const top = await makeFolder(unique('Outer'));
  const inner = await makeFolder(unique('Inner'), top.id);
  const { title } = await makePrompt({ folder_ids: [inner.id] });
  await page.goto('/prompts');
  await folder(page, top.name).focus();
  await page.keyboard.press('ArrowRight');
  await folder(page, inner.name).waitFor();
  await page.keyboard.press('ArrowRight');
  await until(page, (name) => document.activeElement?.getAttribute('aria-label')?.startsWith(name), inner.name);
  await page.keyboard.press('Enter');
  await row(page, title).waitFor();
  // The one above shows it as well, unless asked not to.
  await folder(page, top.name).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: top.name }).waitFor();
  await row(page, title).waitFor();
});

pageTest('a prompt that is dropped on a folder moves there, and back with the undo', {}, async (page) => {
  const target = await makeFolder(unique('Target'));
  const { title, slug } = await makePrompt();
  await page.goto(`/prompts?q=${encodeURIComponent(title)}`);
  await row(page, title).dragTo(folder(page, target.name));
  await page.getByText(`“${title}” is in “${target.name}”.`).waitFor();
  assert.deepEqual((await api('GET', `/prompts/${slug}/details`)).folder_ids, [target.id]);
  await page.getByRole('button', { name: 'Undo' }).click();
  await folder(page, target.name).and(page.getByRole('treeitem', { name: /, 0 prompts$/ })).waitFor();
});

pageTest('on a phone the folders stand in the menu', { view: 'phone' }, async (page) => {
  const made = await makeFolder(unique('Pocket'));
  const { title } = await makePrompt({ folder_ids: [made.id] });
  await page.goto('/prompts');
  await page.getByRole('button', { name: 'Open the menu' }).click();
  await folder(page, made.name).getByRole('link').click();
  await row(page, title).waitFor();
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});
