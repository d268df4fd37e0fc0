const apple = typeof navigator !== 'undefined' && /mac|iphone|ipad/i.test(navigator.platform || navigator.userAgent);

/** True where the command key does what the control key does elsewhere. */
export const isApple = apple;

const glyphs: Record<string, string> = apple
  ? { mod: '⌘', shift: '⇧', alt: '⌥', enter: '⏎' }
  : { mod: 'Ctrl', shift: 'Shift', alt: 'Alt', enter: 'Enter' };

const common: Record<string, string> = { escape: 'Esc', arrowup: '↑', arrowdown: '↓', space: 'Space' };

/** The caps of a key combination as this keyboard shows them: `mod+enter` → ["⌘", "⏎"]. */
export function keyCaps(combination: string): string[] {
  return combination.split('+').map((key) => glyphs[key] ?? common[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
