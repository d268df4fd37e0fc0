import { Button, MultiSelect, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ApiError } from '~/api/client';
import { useFolders } from '~/features/folders/queries';
import { pathWords } from '~/features/folders/tree';
import { notifyDone, notifyError, UnsavedDialog } from '~/ui';
import { usePromptActions } from '../actions';
import { usePrompt } from '../PromptContext';
import classes from './SettingsTab.module.css';

interface Fields {
  slug: string;
  description: string;
  category: string;
  tags: string[];
  folder_ids: string[];
}

const SLUG = /^[a-z0-9][a-z0-9_-]{0,99}$/;

/** Slug, description, category and tags. */
export function AboutForm() {
  const { details, readOnly } = usePrompt();
  const { saveFields } = usePromptActions();
  const start: Fields = {
    slug: details.slug,
    description: details.description ?? '',
    category: details.category ?? '',
    tags: details.tags,
    folder_ids: details.folder_ids,
  };
  const folders = useFolders();
  const [changed, setChanged] = useState<Partial<Fields>>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);

  const fields = { ...start, ...changed };
  const dirty = JSON.stringify(fields) !== JSON.stringify(start);
  const set = (more: Partial<Fields>) => setChanged((old) => ({ ...old, ...more }));
  const renamed = fields.slug !== details.slug;
  const slugError =
    renamed && !SLUG.test(fields.slug) ? 'Small letters, digits, - and _, up to 100 of them' : errors.slug;
  const locked = readOnly !== null;

  async function save(event: React.FormEvent) {
    event.preventDefault();
    if (!dirty || (renamed && !SLUG.test(fields.slug))) return;
    setBusy(true);
    setErrors({});
    try {
      await saveFields({
        ...(renamed && { slug: fields.slug }),
        ...(fields.description !== start.description && { description: fields.description.trim() || null }),
        ...(fields.category !== start.category && { category: fields.category.trim() || null }),
        ...(fields.tags !== start.tags && { tags: fields.tags }),
        ...(fields.folder_ids !== start.folder_ids && { folder_ids: fields.folder_ids }),
      });
      setChanged({});
      notifyDone('Saved');
    } catch (error) {
      const byField = error instanceof ApiError ? error.fieldErrors() : {};
      setErrors(byField);
      if (Object.keys(byField).length === 0) notifyError(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className={classes.form} onSubmit={(event) => void save(event)}>
      <TextInput
        label="Slug"
        description="The name programs ask for"
        classNames={{ input: 'mono' }}
        value={fields.slug}
        error={slugError}
        readOnly={locked}
        spellCheck={false}
        autoCapitalize="none"
        onChange={(event) => set({ slug: event.currentTarget.value })}
      />
      {renamed && !slugError && (
        <p className={classes.note} role="status">
          <code>{details.slug}</code> keeps working for everyone who uses it, and stays reserved for this prompt.
        </p>
      )}
      {details.former_slugs.length > 0 && (
        <p className={classes.note}>
          Former slugs, still working:{' '}
          {details.former_slugs.map((slug, i) => (
            <span key={slug}>
              {i > 0 && ', '}
              <code>{slug}</code>
            </span>
          ))}
        </p>
      )}
      <Textarea
        label="Description"
        description="What it is for, for your colleagues"
        autosize
        minRows={2}
        value={fields.description}
        error={errors.description}
        readOnly={locked}
        onChange={(event) => set({ description: event.currentTarget.value })}
      />
      <TextInput
        label="Category"
        value={fields.category}
        error={errors.category}
        readOnly={locked}
        onChange={(event) => set({ category: event.currentTarget.value })}
      />
      <TagsInput
        label="Tags"
        description="Enter after each"
        value={fields.tags}
        error={errors.tags}
        readOnly={locked}
        onChange={(tags) => set({ tags })}
      />
      {folders.length > 0 && (
        <MultiSelect
          label="Folders"
          description="A prompt may stand in several."
          data={folders.map((folder) => ({ value: folder.id, label: pathWords(folder) }))}
          value={fields.folder_ids}
          error={errors.folder_ids}
          readOnly={locked}
          onChange={(folder_ids) => set({ folder_ids })}
          searchable
          limit={100}
          hidePickedOptions
          nothingFoundMessage="No folder has this name"
        />
      )}
      {details.included_by.length > 0 && (
        <p className={classes.note}>
          Its text is included by{' '}
          {details.included_by.map((slug, i) => (
            <span key={slug}>
              {i > 0 && ', '}
              <code>{slug}</code>
            </span>
          ))}
          .
        </p>
      )}
      {!locked && (
        <div className={classes.buttons}>
          <Button type="submit" disabled={!dirty} loading={busy}>
            Save changes
          </Button>
          {dirty && (
            <Button
              variant="default"
              onClick={() => {
                setChanged({});
                setErrors({});
              }}
            >
              Undo changes
            </Button>
          )}
        </div>
      )}
      <UnsavedDialog unsaved={dirty && !busy} message="What you changed here is not saved yet." />
    </form>
  );
}
