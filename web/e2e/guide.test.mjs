import { pageTest } from './support/browser.mjs';

// The steps and selectors of the implementation guide, word for word.
pageTest('user can create and test a prompt', {}, async (page) => {
  await page.goto('/prompts');
  await page.click('text=New Prompt');
  await page.fill('[name="title"]', 'Test Prompt');
  await page.fill('[name="content"]', 'Test content');
  // The guide starts from an empty server; here the slug of an earlier run may be taken.
  await page.fill('[name="slug"]', `test-prompt-${Date.now().toString(36)}`);
  await page.click('text=Save');
  await page.click('text=Test');
  await page.locator('.test-result').waitFor({ state: 'visible' });
});
