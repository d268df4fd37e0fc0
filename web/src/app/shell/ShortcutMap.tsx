import { Modal } from '@mantine/core';
import { useState } from 'react';
import { Kbd } from '~/ui/Kbd';
import { activeShortcuts, type Shortcut } from '~/ui/shortcuts';
import classes from './ShortcutMap.module.css';

function byGroup(shortcuts: Shortcut[]): [string, Shortcut[]][] {
  const groups = new Map<string, Shortcut[]>();
  for (const shortcut of shortcuts) {
    const name = shortcut.group ?? 'On this page';
    groups.set(name, [...(groups.get(name) ?? []), shortcut]);
  }
  return [...groups];
}

/** Every key that does something on the page that is open. */
export default function ShortcutMap({ onClose }: { onClose: () => void }) {
  const [groups] = useState(() => byGroup(activeShortcuts()));
  return (
    <Modal opened onClose={onClose} title="Keyboard shortcuts" size="md">
      {groups.map(([name, shortcuts]) => (
        <section key={name} className={classes.group}>
          <h3 className={classes.heading}>{name}</h3>
          <dl className={classes.list}>
            {shortcuts.map((shortcut) => (
              <div key={shortcut.keys} className={classes.row}>
                <dt>{shortcut.description}</dt>
                <dd>
                  <Kbd keys={shortcut.keys} />
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Modal>
  );
}
