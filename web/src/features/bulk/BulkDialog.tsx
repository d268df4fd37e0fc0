import { Autocomplete, Button, Modal, SegmentedControl, Select, TagsInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { labelsQuery } from '~/api/account';
import type { BulkAction, Folder, ListedPrompt } from '~/api/types';
import { FolderSelect } from '~/features/folders/FolderSelect';
import { useFolders } from '~/features/folders/queries';
import { useFacets } from '~/features/prompts/use-facets';
import classes from './bulk.module.css';

export type Ask = 'tags' | 'category' | 'folder' | 'publish' | 'label' | 'unlabel';

interface Props {
  ask: Ask;
  prompts: ListedPrompt[];
  /** The folder they are listed from. */
  from: Folder | undefined;
  onClose: () => void;
  /** `folder` is the name of the folder that the action is about. */
  onRun: (action: BulkAction, folder?: string) => void;
}

const forms = { tags: TagsForm, category: CategoryForm, folder: FolderForm, publish: PublishForm, label: LabelForm, unlabel: UnlabelForm };

/** Asks what an action on many prompts needs to know. */
export default function BulkDialog({ ask, ...props }: Props) {
  const Form = forms[ask];
  return <Form {...props} />;
}

type FormProps = Omit<Props, 'ask'>;

const some = (prompts: ListedPrompt[]) => (prompts.length === 1 ? `“${prompts[0]!.title}”` : `${prompts.length.toLocaleString()} prompts`);

interface FrameProps {
  title: string;
  button: string;
  /** Null while something is missing. */
  action: BulkAction | null;
  children: React.ReactNode;
  onClose: () => void;
  onRun: (action: BulkAction) => void;
}

function Frame({ title, button, action, children, onClose, onRun }: FrameProps) {
  function submit(event: FormEvent) {
    event.preventDefault();
    if (action) onRun(action);
  }
  return (
    <Modal opened onClose={onClose} title={title}>
      <form className={classes.form} onSubmit={submit} noValidate>
        {children}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!action}>
            {button}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function TagsForm({ prompts, ...rest }: FormProps) {
  const facets = useFacets();
  const [isOff, setOff] = useState(false);
  const [tags, setTags] = useState<string[]>([]);
  const theirs = [...new Set(prompts.flatMap((prompt) => prompt.tags))].sort();
  return (
    <Frame
      {...rest}
      title={isOff ? `Remove tags from ${some(prompts)}` : `Tag ${some(prompts)}`}
      button={isOff ? 'Remove tags' : 'Add tags'}
      action={tags.length > 0 ? { action: isOff ? 'untag' : 'tag', tags } : null}
    >
      {theirs.length > 0 && (
        <SegmentedControl
          aria-label="Add or remove"
          value={isOff ? 'off' : 'on'}
          onChange={(value) => {
            setOff(value === 'off');
            setTags([]);
          }}
          data={[
            { value: 'on', label: 'Add' },
            { value: 'off', label: 'Remove' },
          ]}
        />
      )}
      <TagsInput
        key={String(isOff)}
        label="Tags"
        description="Press Enter after each one."
        data={isOff ? theirs : facets.tags}
        value={tags}
        onChange={setTags}
        maxTags={20}
        openOnFocus={false}
        data-autofocus
      />
    </Frame>
  );
}

function CategoryForm({ prompts, ...rest }: FormProps) {
  const facets = useFacets();
  const [category, setCategory] = useState('');
  const called = category.trim();
  return (
    <Frame
      {...rest}
      title={`Set the category of ${some(prompts)}`}
      button={called === '' ? 'Remove the category' : 'Set category'}
      action={{ action: 'set_category', category: called === '' ? null : called }}
    >
      <Autocomplete
        label="Category"
        description="Leave it empty to take the category off."
        data={facets.categories}
        value={category}
        onChange={setCategory}
        maxLength={100}
        data-autofocus
      />
    </Frame>
  );
}

function FolderForm({ prompts, from, onRun, ...rest }: FormProps) {
  const folders = useFolders();
  const [id, setId] = useState<string | null>(null);
  const [isCopy, setCopy] = useState(false);
  const name = folders.find((folder) => folder.id === id)?.name;
  return (
    <Frame
      {...rest}
      title={`Put ${some(prompts)} into a folder`}
      button={isCopy ? 'Add to folder' : 'Move to folder'}
      action={id ? { action: isCopy ? 'add_to_folder' : 'move_to_folder', folder: id } : null}
      onRun={(action) => onRun(action, name)}
    >
      {folders.length === 0 && <div className={classes.quiet}>There is no folder yet. Make one in the sidebar, beside “Folders”.</div>}
      <FolderSelect
        label="Folder"
        placeholder="Type a part of its name"
        folders={folders.filter((folder) => folder.id !== from?.id)}
        value={id}
        onChange={setId}
        autoFocus
        required
      />
      <SegmentedControl
        aria-label="Move or add"
        value={isCopy ? 'add' : 'move'}
        onChange={(value) => setCopy(value === 'add')}
        data={[
          { value: 'move', label: 'Move: out of other folders' },
          { value: 'add', label: 'Add: in other folders as well' },
        ]}
      />
    </Frame>
  );
}

function PublishForm({ prompts, ...rest }: FormProps) {
  return (
    <Frame
      {...rest}
      title={`Publish the newest version of ${some(prompts)}?`}
      button="Publish"
      action={{ action: 'label', label: 'production', version: 'latest' }}
    >
      <div className={classes.quiet}>
        Clients get the newest saved version of each at once. Drafts are not published, and what is live already stays as it is.
      </div>
    </Frame>
  );
}

function LabelForm({ prompts, ...rest }: FormProps) {
  const { data: labels = [] } = useQuery(labelsQuery);
  const [label, setLabel] = useState<string | null>(null);
  return (
    <Frame
      {...rest}
      title={`Set a label on ${some(prompts)}`}
      button="Set label"
      action={label ? { action: 'label', label, version: 'latest' } : null}
    >
      <Select
        label="Label"
        description="It points at the newest version of each from then on."
        data={labels.map(({ name }) => name)}
        value={label}
        onChange={setLabel}
        searchable
        data-autofocus
      />
    </Frame>
  );
}

function UnlabelForm({ prompts, ...rest }: FormProps) {
  const theirs = [...new Set(prompts.flatMap((prompt) => Object.keys(prompt.labels)))].sort();
  const [label, setLabel] = useState<string | null>(null);
  return (
    <Frame
      {...rest}
      title={`Remove a label from ${some(prompts)}`}
      button="Remove label"
      action={label ? { action: 'unlabel', label } : null}
    >
      <Select
        label="Label"
        description="Clients that ask for it get “not found” from then on."
        data={theirs}
        value={label}
        onChange={setLabel}
        searchable
        data-autofocus
      />
    </Frame>
  );
}
