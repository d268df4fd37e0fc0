import { Button, Modal, Radio, Textarea } from '@mantine/core';
import { type FormEvent, useRef, useState } from 'react';
import { useMe } from '~/api/account';
import { ApiError } from '~/api/client';
import type { Role } from '~/api/types';
import { explain } from '~/ui/explain';
import { useSubmit } from '~/ui/use-submit';
import { usePeople } from './actions';
import { emailsIn } from './emails';
import { LinkBox } from './LinkBox';
import classes from './Members.module.css';
import { rolesUpTo } from './words';

/** How one of the invitations went. */
interface Outcome {
  email: string;
  link?: string | null;
  refused?: string;
}

/** Invites one or many; then says how it went for each. */
export default function InviteDialog({ onClose }: { onClose: () => void }) {
  const { invite, refresh } = usePeople();
  const [outcomes, setOutcomes] = useState<Outcome[] | null>(null);

  async function send(emails: string[], role: Role) {
    const done: Outcome[] = [];
    // One after the other: who is invited twice in one breath would hear of it twice.
    for (const email of emails) {
      try {
        done.push({ email, link: (await invite(email, role)).link });
      } catch (error) {
        if (emails.length === 1) throw error;
        done.push({ email, refused: reason(error) });
      }
    }
    await refresh();
    setOutcomes(done);
  }

  return (
    <Modal opened onClose={onClose} title={outcomes ? 'Invitations' : 'Invite people'} closeOnClickOutside={!outcomes}>
      {outcomes ? <Sent outcomes={outcomes} onDone={onClose} /> : <InviteForm send={send} onCancel={onClose} />}
    </Modal>
  );
}

function reason(error: unknown): string {
  if (error instanceof ApiError) return Object.values(error.fieldErrors())[0] ?? error.message;
  return explain(error).text;
}

interface FormProps {
  send: (emails: string[], role: Role) => Promise<void>;
  onCancel: () => void;
}

function InviteForm({ send, onCancel }: FormProps) {
  const { workspace } = useMe();
  const form = useRef<HTMLFormElement>(null);
  const [text, setText] = useState('');
  const [role, setRole] = useState<Role>('editor');
  const { busy, errors, problem, run, fail } = useSubmit(form);
  const { emails, rest } = emailsIn(text);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (rest.length > 0) return fail({ email: `“${rest[0]}” is no e-mail address.` });
    if (emails.length === 0) return fail({ email: 'Whom do you want to invite? One address is enough.' });
    void run(() => send(emails, role), ['email', 'role']);
  }

  return (
    <form ref={form} className={classes.form} onSubmit={submit} noValidate>
      <Textarea
        label="E-mail addresses"
        name="email"
        description="One or several, with commas or line breaks between them."
        placeholder="ana@example.com"
        autosize
        minRows={1}
        maxRows={8}
        data-autofocus
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={errors.email ?? (problem ? reason(problem) : undefined)}
        autoComplete="off"
        spellCheck={false}
      />
      <Radio.Group label="What may they do?" value={role} onChange={(value) => setRole(value as Role)} error={errors.role}>
        <div className={classes.choices}>
          {rolesUpTo(workspace?.role).map(({ value, label, text: description }) => (
            <Radio key={value} value={value} label={label} description={description} />
          ))}
        </div>
      </Radio.Group>
      <div className={classes.buttons}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={busy}>
          {emails.length > 1 ? `Invite ${emails.length} people` : 'Invite'}
        </Button>
      </div>
    </form>
  );
}

function Sent({ outcomes, onDone }: { outcomes: Outcome[]; onDone: () => void }) {
  const byLink = outcomes.some(({ link }) => link);
  return (
    <div className={classes.form}>
      <p className={classes.quiet}>
        {byLink
          ? 'This server sends no e-mail, so hand the links over yourself. Each works once, for seven days, and only for its address. They are not shown again.'
          : 'An e-mail with a link is on its way. It works once, for seven days.'}
      </p>
      <ul className={classes.list}>
        {outcomes.map(({ email, link, refused }) => (
          <li key={email}>
            <strong>{email}</strong>
            {refused && <div className={classes.failed}>Not invited: {refused}</div>}
            {link && <LinkBox link={link} />}
          </li>
        ))}
      </ul>
      <div className={classes.buttons}>
        <Button onClick={onDone} data-autofocus>
          Done
        </Button>
      </div>
    </div>
  );
}
