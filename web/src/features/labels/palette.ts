/** Colours to tell labels apart, each readable as a dot in both themes. */
export const swatches = [
  { value: '#2b8a3e', name: 'Green' },
  { value: '#1971c2', name: 'Blue' },
  { value: '#7048e8', name: 'Violet' },
  { value: '#c2255c', name: 'Pink' },
  { value: '#d9480f', name: 'Orange' },
  { value: '#a98600', name: 'Yellow' },
  { value: '#0c8599', name: 'Cyan' },
  { value: '#868e96', name: 'Gray' },
];

const none = '#868e96';

/** The colour to paint for a label: only a plain hex value, since it goes into a style. */
export function swatchOf(color: string | null | undefined): string {
  return color && /^#[0-9a-f]{3,8}$/i.test(color) ? color : none;
}
