import { Button } from '@mantine/core';
import { IconList, IconPlus } from '@tabler/icons-react';
import { useCallback, useRef, useState } from 'react';
import type { MessageOrPlaceholder, PreviewProblem } from '~/api/types';
import type { KnownVariable } from '~/features/templates/language';
import type { TemplateEditorHandle } from '~/features/templates/TemplateEditor';
import { notifyUndo } from '~/ui';
import { type EditMessage, isPlaceholder, newKey, newMessage, nextRole } from '../model/body';
import { useBody, usePrompt } from '../PromptContext';
import classes from './BodyEditor.module.css';
import { MessageBlock } from './MessageBlock';

interface Props {
  variables: ReadonlyMap<string, KnownVariable>;
  problems: PreviewProblem[];
  register: (key: string, editor: TemplateEditorHandle | null) => void;
  /** The id of the text that explains the editors. */
  hint: string;
}

/** The messages of a chat prompt, as blocks one can fill, move and remove. */
export function ChatEditor({ variables, problems, register, hint }: Props) {
  const { session, readOnly } = usePrompt();
  const { messages, syntax } = useBody();
  const [news, setNews] = useState('');
  const list = useRef<HTMLOListElement>(null);

  const setMessages = useCallback(
    (change: (messages: EditMessage[]) => EditMessage[]) =>
      session.update((body) => ({ ...body, messages: change(body.messages) })),
    [session],
  );

  const change = useCallback(
    (key: string, message: MessageOrPlaceholder) =>
      setMessages((all) => all.map((m) => (m.key === key ? { ...m, message } : m))),
    [setMessages],
  );

  function move(index: number, by: -1 | 1) {
    const to = index + by;
    if (to < 0 || to >= messages.length) return;
    setMessages((all) => {
      const next = [...all];
      [next[index], next[to]] = [next[to]!, next[index]!];
      return next;
    });
    setNews(`Message ${index + 1} moved to place ${to + 1} of ${messages.length}`);
  }

  function remove(index: number) {
    const removed = messages[index];
    if (!removed) return;
    setMessages((all) => all.filter((m) => m.key !== removed.key));
    setNews(`Message ${index + 1} removed`);
    notifyUndo({
      message: `Message ${index + 1} was removed`,
      undo: () => setMessages((all) => [...all.slice(0, index), removed, ...all.slice(index)]),
    });
  }

  function add(message: EditMessage) {
    setMessages((all) => [...all, message]);
    requestAnimationFrame(() => {
      list.current?.lastElementChild?.querySelector<HTMLElement>('.cm-content, input')?.focus();
    });
  }

  return (
    <div>
      <ol className={classes.messages} ref={list}>
        {messages.map((item, index) => (
          <MessageBlock
            key={item.key}
            item={item}
            index={index}
            count={messages.length}
            syntax={syntax}
            variables={variables}
            problems={problems}
            readOnly={readOnly !== null}
            hint={hint}
            register={register}
            onChange={change}
            onMove={(by) => move(index, by)}
            onRemove={() => remove(index)}
          />
        ))}
      </ol>
      {readOnly === null && (
        <div className={classes.add}>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={15} aria-hidden />}
            onClick={() => add(newMessage(nextRole(messages)))}
          >
            Add a message
          </Button>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconList size={15} aria-hidden />}
            onClick={() => add(newPlaceholder(messages))}
          >
            Add a place for messages
          </Button>
        </div>
      )}
      <span
        role="status"
        style={{ position: 'absolute', clipPath: 'inset(50%)', width: 1, height: 1, overflow: 'hidden' }}
      >
        {news}
      </span>
    </div>
  );
}

function newPlaceholder(messages: EditMessage[]): EditMessage {
  const taken = new Set(messages.flatMap(({ message }) => (isPlaceholder(message) ? [message.name] : [])));
  let name = 'history';
  for (let n = 2; taken.has(name); n++) name = `history_${n}`;
  return { key: newKey(), message: { type: 'placeholder', name, required: false } };
}
