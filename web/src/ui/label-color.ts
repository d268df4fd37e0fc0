/** The colours a label can have, by the names the server gives them. Each is seen in both themes. */
export const labelColors = {
  gray: { name: 'Gray', css: '#868e96' },
  red: { name: 'Red', css: '#e03131' },
  orange: { name: 'Orange', css: '#d9480f' },
  amber: { name: 'Amber', css: '#b07d00' },
  green: { name: 'Green', css: '#2b8a3e' },
  teal: { name: 'Teal', css: '#0c8599' },
  blue: { name: 'Blue', css: '#1971c2' },
  violet: { name: 'Violet', css: '#7048e8' },
  pink: { name: 'Pink', css: '#c2255c' },
} as const;

export type LabelColor = keyof typeof labelColors;

export function isLabelColor(color: string | null | undefined): color is LabelColor {
  return typeof color === 'string' && Object.hasOwn(labelColors, color);
}

/** The colour to paint for a label; gray for one that this version of the dashboard does not know. */
export function swatchOf(color: string | null | undefined): string {
  return labelColors[isLabelColor(color) ? color : 'gray'].css;
}
