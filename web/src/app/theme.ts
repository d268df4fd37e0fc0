import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const accent: MantineColorsTuple = [
  '#eef1fd',
  '#dde3fb',
  '#bac5f6',
  '#95a5f1',
  '#7b8eec',
  '#5a70e6',
  '#4459df',
  '#3747c9',
  '#2f3caa',
  '#27318a',
];

/** Dark enough to carry white text at 4.5:1 where it fills a button. */
const red: MantineColorsTuple = [
  '#fff5f5',
  '#ffe3e3',
  '#ffc9c9',
  '#ffa8a8',
  '#ff8787',
  '#f05252',
  '#cf2e2e',
  '#c02626',
  '#a61e1e',
  '#8a1919',
];

const dark: MantineColorsTuple = [
  '#dcdee3',
  '#bcc0c8',
  '#9aa0ab',
  '#767c88',
  '#3b3f48',
  '#30343c',
  '#24272d',
  '#17191d',
  '#121316',
  '#0c0d0f',
];

const close = { closeButtonProps: { 'aria-label': 'Close' } };
const quick = { transitionProps: { duration: 100 } };

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 6 },
  colors: { accent, dark, red },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  lineHeights: { xs: '1.4', sm: '1.5', md: '1.5', lg: '1.5', xl: '1.4' },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.5rem', xl: '2rem' },
  radius: { xs: '2px', sm: '4px', md: '6px', lg: '8px', xl: '16px' },
  defaultRadius: 'md',
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.375rem', lineHeight: '1.3' },
      h2: { fontSize: '1rem', lineHeight: '1.4' },
      h3: { fontSize: '0.875rem', lineHeight: '1.5' },
    },
  },
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    Portal: { defaultProps: { target: '#overlays' } },
    Modal: { defaultProps: { ...close, ...quick, centered: true } },
    Drawer: { defaultProps: { ...close, ...quick } },
    Menu: { defaultProps: { ...quick, shadow: 'md', position: 'bottom-end', withInitialFocusPlaceholder: false } },
    Popover: { defaultProps: quick },
    Tooltip: { defaultProps: { ...quick, openDelay: 300, withArrow: false, multiline: true } },
    Notification: { defaultProps: { ...close, withBorder: true } },
    Button: { defaultProps: { size: 'sm' } },
    Table: { defaultProps: { verticalSpacing: 'xs' } },
  },
});

/** Text on a tinted ground at 4.5:1 or more; the library's own shades fall short of that. */
const tintedLight = { green: '#1c6b30', yellow: '#855700', red: '#b02525', gray: '#454c54', blue: '#155a9c' };
const tintedDark = { green: '#7ddb92', yellow: '#f2c14e', red: '#ff9c9c', gray: '#c3c7cf', blue: '#8cc4f8' };

function tinted(colors: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(colors).map(([name, value]) => [`--mantine-color-${name}-light-color`, value]));
}

/** The few colours of the product, by what they mean. Use these names in style sheets. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...tinted(tintedLight),
    '--mantine-color-dimmed': '#5a616a',
    '--mantine-color-placeholder': '#6b727b',
    '--mantine-color-error': '#c02626',
    '--mantine-color-anchor': '#3747c9',
    '--xr-page': '#ffffff',
    '--xr-sunken': '#f7f8f9',
    '--xr-raised': '#ffffff',
    '--xr-hover': '#f2f3f5',
    '--xr-selected': '#e9edfc',
    '--xr-border': '#e4e6e9',
    '--xr-border-strong': '#c9cdd2',
    '--xr-text': '#1b1e22',
    '--xr-dimmed': '#5a616a',
    '--xr-accent': '#3747c9',
    '--xr-live': '#1c6b30',
    '--xr-live-ground': '#e6f5ea',
    '--xr-draft': '#855700',
    '--xr-draft-ground': '#fdf3d8',
    '--xr-danger': '#b02525',
    '--xr-danger-ground': '#fdecec',
    '--xr-insert': '#e6f5ea',
    '--xr-insert-strong': '#b5e3c1',
    '--xr-delete': '#fdecec',
    '--xr-delete-strong': '#f8c4c4',
    '--xr-variable': '#6a2fb5',
    '--xr-variable-ground': '#f1e9fb',
    '--xr-focus': '#3747c9',
  },
  dark: {
    ...tinted(tintedDark),
    '--mantine-color-dimmed': '#9aa0ab',
    '--mantine-color-placeholder': '#8a909b',
    '--mantine-color-error': '#ff8f8f',
    '--mantine-color-anchor': '#95a5f1',
    '--xr-page': '#17191d',
    '--xr-sunken': '#121316',
    '--xr-raised': '#1d2025',
    '--xr-hover': '#22252b',
    '--xr-selected': '#252b48',
    '--xr-border': '#2b2e35',
    '--xr-border-strong': '#464b55',
    '--xr-text': '#e3e5e9',
    '--xr-dimmed': '#9aa0ab',
    '--xr-accent': '#95a5f1',
    '--xr-live': '#7ddb92',
    '--xr-live-ground': '#16301d',
    '--xr-draft': '#f2c14e',
    '--xr-draft-ground': '#352a0f',
    '--xr-danger': '#ff9c9c',
    '--xr-danger-ground': '#3a1a1c',
    '--xr-insert': '#14291a',
    '--xr-insert-strong': '#24512f',
    '--xr-delete': '#331a1c',
    '--xr-delete-strong': '#672c30',
    '--xr-variable': '#c9a6f7',
    '--xr-variable-ground': '#2c2140',
    '--xr-focus': '#95a5f1',
  },
});
