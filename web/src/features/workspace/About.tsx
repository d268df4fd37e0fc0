import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import type { Workspace } from '~/api/types';
import { Section } from '~/features/account/Section';
import { FormProblem } from '~/ui/FormProblem';
import { notifyDone } from '~/ui/notify';
import { useSubmit } from '~/ui/use-submit';
import { useWorkspaceChanges } from './use-workspace';
import classes from './Workspace.module.css';

/** What the workspace is called. */
export function About({ workspace, disabled }: { workspace: Workspace; disabled: boolean }) {
  const { change } = useWorkspaceChanges();
  const form = useRef<HTMLFormElement>(null);
  const [name, setName] = useState(workspace.name);
  const [slug, setSlug] = useState(workspace.slug);
  const { busy, errors, problem, run, fail } = useSubmit(form);
  const changed = name.trim() !== workspace.name || slug.trim() !== workspace.slug;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (name.trim() === '') return fail({ name: 'A workspace needs a name.' });
    void run(async () => {
      await change({ name: name.trim(), ...(slug.trim() !== workspace.slug && { slug: slug.trim() }) });
      notifyDone('Saved.');
    }, ['name', 'slug']);
  }

  return (
    <Section title="About" description="How the workspace is called, here and in addresses.">
      <form ref={form} className={classes.form} onSubmit={submit} noValidate>
        <TextInput
          label="Name"
          name="name"
          value={name}
          readOnly={disabled}
          onChange={(event) => setName(event.currentTarget.value)}
          error={errors.name}
          autoComplete="off"
        />
        <TextInput
          label="Slug"
          name="slug"
          description="Programs that work in several workspaces name this one by it."
          classNames={{ input: 'mono' }}
          value={slug}
          readOnly={disabled}
          onChange={(event) => setSlug(event.currentTarget.value.toLowerCase())}
          error={errors.slug}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
        />
        <FormProblem error={problem} />
        {!disabled && (
          <div className={classes.left}>
            <Button type="submit" loading={busy} disabled={!changed}>
              Save
            </Button>
          </div>
        )}
      </form>
    </Section>
  );
}
