import { ActionIcon, Button, NativeSelect, Textarea } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import type { MessageRole } from '~/api/types';
import classes from './CreatePage.module.css';
import { type NewMessage, newMessage } from './new-prompt';

const roles: { value: MessageRole; label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'developer', label: 'Developer' },
  { value: 'user', label: 'User' },
  { value: 'assistant', label: 'Assistant' },
];

interface Props {
  messages: NewMessage[];
  onChange: (messages: NewMessage[]) => void;
  error?: string;
}

/** The messages of a chat prompt as blocks, each with who says it. */
export function MessagesField({ messages, onChange, error }: Props) {
  function change(key: string, part: Partial<NewMessage>) {
    onChange(messages.map((message) => (message.key === key ? { ...message, ...part } : message)));
  }
  function add() {
    onChange([...messages, newMessage(messages.at(-1)?.role === 'user' ? 'assistant' : 'user')]);
  }
  return (
    <fieldset className={classes.messages}>
      <legend className={classes.label}>Messages</legend>
      {messages.map((message, index) => (
        <div key={message.key} className={classes.message}>
          <div className={classes.messageHead}>
            <NativeSelect
              aria-label={`Who says message ${index + 1}`}
              size="xs"
              data={roles}
              value={message.role}
              onChange={(event) => change(message.key, { role: event.currentTarget.value as MessageRole })}
            />
            {messages.length > 1 && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Remove message ${index + 1}`}
                onClick={() => onChange(messages.filter((other) => other.key !== message.key))}
              >
                <IconX size={16} aria-hidden />
              </ActionIcon>
            )}
          </div>
          <Textarea
            aria-label={`Message ${index + 1}, ${message.role}`}
            name={index === 0 ? 'messages' : undefined}
            classNames={{ input: 'mono' }}
            autosize
            minRows={3}
            maxRows={16}
            value={message.content}
            onChange={(event) => change(message.key, { content: event.currentTarget.value })}
            error={index === 0 ? error : undefined}
          />
        </div>
      ))}
      <Button variant="default" size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={add}>
        Add a message
      </Button>
    </fieldset>
  );
}
