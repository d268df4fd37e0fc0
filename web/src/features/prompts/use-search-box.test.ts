import { expect, test } from 'vitest';
import { Outstanding } from './use-search-box';

test('knows its own texts when they come back late', () => {
  const outstanding = new Outstanding();
  outstanding.send('fin');
  outstanding.send('finda');
  expect(outstanding.arrived('fin')).toBe(true);
  expect(outstanding.arrived('finda')).toBe(true);
});

test('forgets what was overtaken', () => {
  const outstanding = new Outstanding();
  outstanding.send('a');
  outstanding.send('ab');
  expect(outstanding.arrived('ab')).toBe(true);
  expect(outstanding.arrived('a')).toBe(false);
});

test('tells a change from elsewhere', () => {
  const outstanding = new Outstanding();
  outstanding.send('a');
  expect(outstanding.arrived('other')).toBe(false);
  expect(outstanding.arrived('a')).toBe(false);
});
