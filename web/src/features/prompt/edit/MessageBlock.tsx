import { ActionIcon, Menu, NativeSelect, Switch, TextInput, Tooltip } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconDots, IconPhotoPlus, IconTextPlus, IconTrash } from '@tabler/icons-react';
import { memo, useCallback } from 'react';
import type {
  Message,
  MessageOrPlaceholder,
  MessagePart,
  MessagePlaceholder,
  MessageRole,
  PreviewProblem,
  Syntax,
} from '~/api/types';
import type { KnownVariable } from '~/features/templates/language';
import { TemplateEditor, type TemplateEditorHandle } from '~/features/templates/TemplateEditor';
import { type EditMessage, isPlaceholder, partsOf } from '../model/body';
import { findSnippets } from '../queries';
import { partKey } from './BodyEditor';
import classes from './BodyEditor.module.css';

const ROLES: { value: MessageRole; label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'developer', label: 'Developer' },
  { value: 'user', label: 'User' },
  { value: 'assistant', label: 'Assistant' },
  { value: 'tool', label: 'Tool' },
];

interface Props {
  item: EditMessage;
  index: number;
  count: number;
  syntax: Syntax;
  variables: ReadonlyMap<string, KnownVariable>;
  problems: PreviewProblem[];
  readOnly: boolean;
  hint: string;
  register: (key: string, editor: TemplateEditorHandle | null) => void;
  onChange: (key: string, message: MessageOrPlaceholder) => void;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

/** One message, or a place where the caller's messages go. */
export function MessageBlock(props: Props) {
  const { item, index, count, readOnly, onChange, onMove, onRemove } = props;
  const { message } = item;
  const placeholder = isPlaceholder(message);

  function onKeyDown(event: React.KeyboardEvent) {
    if (readOnly || !event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    // Inside a text these keys move its lines.
    if ((event.target as HTMLElement).closest('.cm-editor')) return;
    event.preventDefault();
    onMove(event.key === 'ArrowUp' ? -1 : 1);
  }

  return (
    <li className={classes.message} onKeyDown={onKeyDown}>
      <div className={classes.head} role="group" aria-label={`Message ${index + 1} of ${count}`}>
        <span className={classes.number} aria-hidden>
          {index + 1}
        </span>
        {placeholder ? (
          <strong>Place for messages</strong>
        ) : (
          <NativeSelect
            size="xs"
            aria-label={`Role of message ${index + 1}`}
            value={message.role}
            disabled={readOnly}
            data={ROLES}
            onChange={(event) => onChange(item.key, { ...message, role: event.currentTarget.value as MessageRole })}
          />
        )}
        {!readOnly && (
          <div className={classes.headActions}>
            <Tooltip label="Move up (Alt+↑)">
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Move message ${index + 1} up`}
                disabled={index === 0}
                onClick={() => onMove(-1)}
              >
                <IconArrowUp size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="Move down (Alt+↓)">
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Move message ${index + 1} down`}
                disabled={index === count - 1}
                onClick={() => onMove(1)}
              >
                <IconArrowDown size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
            {!placeholder && <PartMenu index={index} message={message} onChange={(next) => onChange(item.key, next)} />}
            <Tooltip label="Remove">
              <ActionIcon variant="subtle" color="gray" aria-label={`Remove message ${index + 1}`} onClick={onRemove}>
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </div>
        )}
      </div>
      {placeholder ? <Placeholder {...props} message={message} /> : <Parts {...props} message={message} />}
    </li>
  );
}

function PartMenu({
  index,
  message,
  onChange,
}: {
  index: number;
  message: Message;
  onChange: (message: Message) => void;
}) {
  const add = (part: MessagePart) => onChange({ ...message, content: [...partsOf(message), part] });
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`More for message ${index + 1}`}>
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconTextPlus size={16} aria-hidden />} onClick={() => add({ type: 'text', text: '' })}>
          Add a text part
        </Menu.Item>
        <Menu.Item
          leftSection={<IconPhotoPlus size={16} aria-hidden />}
          onClick={() => add({ type: 'image', url: '' })}
        >
          Add an image
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Parts({ item, index, message, onChange, ...rest }: Props & { message: Message }) {
  const parts = partsOf(message);
  const setPart = useCallback(
    (at: number, part: MessagePart | null) => {
      const next = part ? parts.map((p, i) => (i === at ? part : p)) : parts.filter((_, i) => i !== at);
      const only = next[0];
      const plain = typeof message.content === 'string' || (next.length === 1 && only?.type === 'text');
      onChange(item.key, {
        ...message,
        content: plain && next.length === 1 && only?.type === 'text' ? only.text : next,
      });
    },
    [item.key, message, onChange, parts],
  );

  return (
    <div className={classes.parts}>
      {parts.map((part, at) =>
        part.type === 'text' ? (
          <TextPart
            key={at}
            message={index}
            part={at}
            label={parts.length > 1 ? `Message ${index + 1}, text ${at + 1}` : `Message ${index + 1}`}
            value={part.text}
            onChange={(text) => setPart(at, { type: 'text', text })}
            {...rest}
          />
        ) : (
          <div key={at} className={classes.image}>
            <TextInput
              label="Address of the image"
              size="xs"
              placeholder="https://…"
              value={part.url ?? (part.data ? `${part.media_type ?? 'image'} in the prompt` : '')}
              readOnly={rest.readOnly || part.data !== undefined}
              onChange={(event) => setPart(at, { ...part, url: event.currentTarget.value })}
            />
            {!rest.readOnly && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Remove the image from message ${index + 1}`}
                onClick={() => setPart(at, null)}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            )}
          </div>
        ),
      )}
    </div>
  );
}

interface TextPartProps extends Pick<Props, 'syntax' | 'variables' | 'problems' | 'readOnly' | 'hint' | 'register'> {
  message: number;
  part: number;
  label: string;
  value: string;
  onChange: (value: string) => void;
}

const TextPart = memo(function TextPart({ message, part, problems, register, hint, ...editor }: TextPartProps) {
  const key = partKey(message, part);
  const own = problems.filter((p) => partKey(p.message_index, p.part_index) === key);
  const ref = useCallback((handle: TemplateEditorHandle | null) => register(key, handle), [register, key]);
  return (
    <TemplateEditor
      {...editor}
      ref={ref}
      name={message === 0 && part === 0 ? 'content' : undefined}
      describedBy={hint}
      problems={own}
      minLines={3}
      placeholder="Write the message. Type {{ where something is filled in."
      findSnippets={findSnippets}
    />
  );
});

function Placeholder({ item, message, readOnly, index, onChange }: Props & { message: MessagePlaceholder }) {
  return (
    <div className={classes.placeholder}>
      <p>Messages the caller sends are put in here as they are, for instance the conversation so far.</p>
      <div className={classes.placeholderFields}>
        <TextInput
          size="xs"
          aria-label={`Name of the place in message ${index + 1}`}
          leftSection={
            <span className="mono" aria-hidden>
              =
            </span>
          }
          value={message.name}
          readOnly={readOnly}
          onChange={(event) => onChange(item.key, { ...message, name: event.currentTarget.value })}
        />
        <Switch
          size="xs"
          label="Callers must send it"
          checked={message.required ?? false}
          disabled={readOnly}
          onChange={(event) => onChange(item.key, { ...message, required: event.currentTarget.checked })}
        />
      </div>
    </div>
  );
}
