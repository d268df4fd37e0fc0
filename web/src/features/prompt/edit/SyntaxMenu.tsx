import { Menu } from '@mantine/core';
import { IconBraces, IconChevronDown } from '@tabler/icons-react';
import type { Syntax } from '~/api/types';
import { SYNTAX_WORDS } from '~/features/templates/words';
import { useBody, usePrompt } from '../PromptContext';
import classes from './Toolbar.module.css';

const order: Syntax[] = ['simple', 'jinja', 'none'];

/** Which braces mean something in the text, in plain words. */
export function SyntaxMenu() {
  const { session, readOnly } = usePrompt();
  const { syntax } = useBody();
  const words = SYNTAX_WORDS[syntax];

  if (readOnly)
    return (
      <span className={classes.optionText}>
        Syntax: {words.name} – {words.short}
      </span>
    );
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <button type="button" className={classes.trigger} aria-label={`Syntax: ${words.name}`}>
          <IconBraces size={14} aria-hidden />
          {words.name}
          <IconChevronDown size={13} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>What is filled in</Menu.Label>
        <Menu.RadioGroup
          value={syntax}
          onChange={(value) => session.update((body) => ({ ...body, syntax: value as Syntax }))}
        >
          {order.map((option) => (
            <Menu.RadioItem key={option} value={option} closeMenuOnClick>
              <div className={classes.option}>
                <div className={classes.optionName}>{SYNTAX_WORDS[option].name}</div>
                <div className={classes.optionText}>{SYNTAX_WORDS[option].text}</div>
              </div>
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
