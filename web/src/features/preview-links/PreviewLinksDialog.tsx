import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { NewPreviewLink, PreviewLink, PromptDetails } from '~/api/types';
import { usePrompt } from '~/features/prompt/PromptContext';
import { CopyButton, ErrorState, notifyDone, notifyError, RelativeTime } from '~/ui';
import { FormProblem } from '~/ui/FormProblem';
import { Rows, rowsClasses } from '~/ui/Rows';
import { useSubmit } from '~/ui/use-submit';
import classes from './PreviewLinks.module.css';
import { previewLinksQuery } from './queries';

/** Shares a prompt with somebody who has no account, to be read and nothing else. */
export default function PreviewLinksDialog({ onClose }: { onClose: () => void }) {
  const { details } = usePrompt();
  const [made, setMade] = useState<NewPreviewLink | null>(null);
  return (
    <Modal opened onClose={onClose} title="Share a preview" closeOnClickOutside={!made}>
      <div className={classes.form}>
        {made ? <Made link={made} onDone={() => setMade(null)} /> : <NewLink details={details} onMade={setMade} />}
        <Links slug={details.slug} />
      </div>
    </Modal>
  );
}

const days = [
  { value: '1', label: 'A day' },
  { value: '7', label: 'A week' },
  { value: '30', label: 'A month' },
];

/** What can be shared: the draft, what is live, the newest version. */
function choicesOf({ has_draft, live, latest_version }: PromptDetails): { value: string; label: string }[] {
  return [
    ...(live ? [{ value: String(live.version), label: `What is live now (v${live.version})` }] : []),
    ...(latest_version > 0 && latest_version !== live?.version
      ? [{ value: String(latest_version), label: `The newest version (v${latest_version})` }]
      : []),
    ...(has_draft ? [{ value: 'draft', label: 'The draft, as it changes' }] : []),
  ];
}

function NewLink({ details, onMade }: { details: PromptDetails; onMade: (link: NewPreviewLink) => void }) {
  const queryClient = useQueryClient();
  const choices = choicesOf(details);
  const [what, setWhat] = useState(choices.at(-1)?.value ?? '');
  const [expires, setExpires] = useState('7');
  const [note, setNote] = useState('');
  const { busy, errors, problem, run } = useSubmit();

  function submit(event: FormEvent) {
    event.preventDefault();
    void run(async () => {
      const body = {
        ...(what === 'draft' ? { draft: true } : { version: Number(what) }),
        expires_in_days: Number(expires),
        ...(note.trim() && { note: note.trim() }),
      };
      const link = await api.post<NewPreviewLink>(path`/prompts/${details.slug}/preview-links`, body);
      void queryClient.invalidateQueries({ queryKey: keys.previewLinks(details.slug) });
      onMade(link);
    }, ['note', 'expires_in_days']);
  }

  if (choices.length === 0) return <p className={classes.quiet}>There is nothing to share yet: write something first.</p>;
  return (
    <form className={classes.form} onSubmit={submit}>
      <p className={classes.quiet}>Whoever has the link can read this one prompt, without an account. They can change nothing.</p>
      <NativeSelect label="What do they see?" data={choices} value={what} onChange={(event) => setWhat(event.currentTarget.value)} data-autofocus />
      <NativeSelect
        label="For how long?"
        data={days}
        value={expires}
        onChange={(event) => setExpires(event.currentTarget.value)}
        error={errors.expires_in_days}
      />
      <TextInput
        label="A note for them"
        name="note"
        placeholder="Please look at the second paragraph"
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        error={errors.note}
        maxLength={500}
        autoComplete="off"
      />
      <FormProblem error={problem} />
      <div className={classes.buttons}>
        <Button type="submit" loading={busy}>
          Make a link
        </Button>
      </div>
    </form>
  );
}

function Made({ link, onDone }: { link: NewPreviewLink; onDone: () => void }) {
  return (
    <div className={classes.form}>
      <div>
        Copy it now: <strong>it is not shown again.</strong>
      </div>
      <div className={classes.link}>
        <code data-testid="preview-link">{link.url}</code>
        <CopyButton value={link.url} label="Copy link" withText />
      </div>
      <div className={classes.buttons}>
        <Button variant="default" onClick={onDone}>
          Make another one
        </Button>
      </div>
    </div>
  );
}

function Links({ slug }: { slug: string }) {
  const queryClient = useQueryClient();
  const query = useQuery(previewLinksQuery(slug));

  async function end(link: PreviewLink) {
    try {
      await api.del(path`/prompts/${slug}/preview-links/${link.id}`);
      await queryClient.invalidateQueries({ queryKey: keys.previewLinks(slug) });
      notifyDone('The link works no more.');
    } catch (error) {
      notifyError(error);
    }
  }

  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data?.length) return null;
  return (
    <section aria-labelledby="links">
      <h3 id="links" className={classes.heading}>
        Shared now
      </h3>
      <Rows label="Preview links">
        {query.data.map((link) => (
          <li key={link.id} className={rowsClasses.row}>
            <div className={rowsClasses.words}>
              <span className={rowsClasses.title}>{link.version === null ? 'The draft' : `v${link.version}`}</span>
              <span className={rowsClasses.quiet}>
                {link.created_by.name} · {link.expired ? 'ended' : 'ends'} <RelativeTime time={link.expires_at} />
                {link.note && ` · ${link.note}`}
              </span>
            </div>
            <Button variant="subtle" color="red" size="xs" onClick={() => void end(link)}>
              End it
            </Button>
          </li>
        ))}
      </Rows>
    </section>
  );
}
