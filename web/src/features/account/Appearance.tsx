import { SegmentedControl } from '@mantine/core';
import { Section } from './Section';
import { type Scheme, schemes, useAppearance } from './use-appearance';

/** The choice of light or dark. */
export function Appearance() {
  const { scheme, choose } = useAppearance();
  return (
    <Section title="Appearance">
      <div>
        <SegmentedControl
          aria-label="Colours"
          value={scheme}
          onChange={(value) => void choose(value as Scheme)}
          data={schemes}
        />
      </div>
    </Section>
  );
}
