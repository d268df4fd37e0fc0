import { Alert, Button, SegmentedControl, TagsInput, Textarea, TextInput } from '@mantine/core';
import { IconArrowLeft, IconCheck, IconEye } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { useRole } from '~/api/account';
import type { PromptType } from '~/api/types';
import { SecretNotice } from '~/features/secrets/SecretNotice';
import { EmptyState } from '~/ui/EmptyState';
import { FormProblem } from '~/ui/FormProblem';
import { Page } from '~/ui/Page';
import { PageHeader } from '~/ui/PageHeader';
import { usePageTitle } from '~/ui/page-title';
import { useShortcut } from '~/ui/shortcuts';
import { UnsavedDialog } from '~/ui/UnsavedDialog';
import classes from './CreatePage.module.css';
import { MessagesField } from './MessagesField';
import { useCreate } from './use-create';
import { useFacets } from './use-facets';
import { VariablesFound } from './VariablesFound';

export function CreatePage() {
  return useRole('editor') ? <CreateForm /> : <MayOnlyRead />;
}

function MayOnlyRead() {
  usePageTitle('New prompt');
  return (
    <EmptyState as="h1" icon={IconEye} title="You may read here, not write">
      Ask an admin of this workspace to make you an editor.
    </EmptyState>
  );
}

function CreateForm() {
  const form = useRef<HTMLFormElement>(null);
  const create = useCreate(form);
  const { fields, errors, set, slug } = create;
  const facets = useFacets();
  const texts = fields.type === 'chat' ? fields.messages.map((message) => message.content) : [fields.content];

  useShortcut({ keys: 'mod+s', description: 'Save the prompt' }, () => void create.save(false));

  return (
    <Page width="reading">
      <PageHeader
        title="New prompt"
        above={
          <Link to="/prompts" className={classes.back}>
            <IconArrowLeft size={14} aria-hidden /> Prompts
          </Link>
        }
        actions={
          <>
            <Button form="new-prompt" type="submit" loading={create.busy === 'save'} disabled={create.busy !== null}>
              Save
            </Button>
            <Button
              variant="default"
              loading={create.busy === 'publish'}
              disabled={create.busy !== null}
              onClick={() => void create.save(true)}
            >
              Save and publish
            </Button>
          </>
        }
      />
      {create.restored && (
        <Alert className={classes.restored} variant="light" color="gray" withCloseButton closeButtonLabel="Close this note" onClose={create.keepRestored}>
          This is what you began earlier.{' '}
          <button type="button" className={classes.inline} onClick={create.startAfresh}>
            Start afresh
          </button>
        </Alert>
      )}
      <form
        id="new-prompt"
        ref={form}
        className={classes.form}
        // What is typed while it is being saved would be lost.
        inert={create.busy !== null}
        onSubmit={(event) => {
          event.preventDefault();
          void create.save(false);
        }}
        noValidate
      >
        <FormProblem error={create.problem} />
        <TextInput
          label="Title"
          name="title"
          placeholder="Welcome message"
          value={fields.title}
          onChange={(event) => set({ title: event.currentTarget.value })}
          error={errors.title}
          maxLength={200}
          autoComplete="off"
          autoFocus
        />
        <TextInput
          label="Slug"
          name="slug"
          description="Your programs ask for the prompt by this name. It can be changed later: the old one keeps working."
          classNames={{ input: 'mono' }}
          value={slug.slug}
          onChange={(event) => {
            slug.set(event.currentTarget.value);
            create.clearError('slug');
          }}
          onBlur={() => slug.slug === '' && slug.follow()}
          error={errors.slug ?? slug.problem}
          rightSection={slug.free ? <IconCheck size={16} color="var(--xr-live)" aria-label="This slug is free" /> : null}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
        />
        <div>
          <div className={classes.label} id="type-label">
            Kind
          </div>
          <SegmentedControl
            aria-labelledby="type-label"
            value={fields.type}
            onChange={(type) => create.setType(type as PromptType)}
            data={[
              { value: 'text', label: 'Text' },
              { value: 'chat', label: 'Chat messages' },
            ]}
          />
        </div>
        {fields.type === 'text' ? (
          <Textarea
            label="Content"
            name="content"
            description={
              <>
                Write <code>{'{{ name }}'}</code> where a program fills something in.
              </>
            }
            classNames={{ input: `mono ${classes.content}` }}
            placeholder={'Hello {{ name }},\n\nwelcome to {{ product }}.'}
            autosize
            minRows={8}
            maxRows={24}
            value={fields.content}
            onChange={(event) => set({ content: event.currentTarget.value })}
            error={errors.content}
            spellCheck
          />
        ) : (
          <MessagesField
            messages={fields.messages}
            onChange={(messages) => set({ messages })}
            error={errors.messages}
          />
        )}
        <SecretNotice texts={texts} />
        <VariablesFound texts={texts} />
        <details className={classes.more}>
          <summary>Description, category and tags</summary>
          <div className={classes.form}>
            <Textarea
              label="Description"
              name="description"
              description="For your colleagues: what it is for, and where it is used."
              autosize
              minRows={2}
              value={fields.description}
              onChange={(event) => set({ description: event.currentTarget.value })}
              error={errors.description}
            />
            <TextInput
              label="Category"
              name="category"
              list="known-categories"
              value={fields.category}
              onChange={(event) => set({ category: event.currentTarget.value })}
              error={errors.category}
              autoComplete="off"
            />
            <datalist id="known-categories">
              {facets.categories.map((category) => (
                <option key={category} value={category} />
              ))}
            </datalist>
            <TagsInput
              label="Tags"
              description="Press Enter after each one."
              data={facets.tags}
              value={fields.tags}
              onChange={(tags) => set({ tags })}
              error={errors.tags}
            />
          </div>
        </details>
      </form>
      <UnsavedDialog
        unsaved={create.isUnsaved}
        message="The prompt you began is not kept anywhere yet."
        onLeave={create.letGo}
      />
    </Page>
  );
}
