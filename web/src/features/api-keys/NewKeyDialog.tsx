import { Button, Checkbox, Modal, NativeSelect, Radio, TagsInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { labelsQuery } from '~/api/account';
import { ApiError, api } from '~/api/client';
import { keys } from '~/api/keys';
import type { ApiKeyWithSecret, Scope } from '~/api/types';
import { FormProblem } from '~/ui/FormProblem';
import classes from './dialogs.module.css';
import { KeyShown } from './KeyShown';
import { emptyKey, expiries, keyErrors, type KeyFields, keyRequest } from './new-key';
import { extras, type Level, levels } from './words';

/** Makes a key, then shows it the one time that it can be seen. */
export default function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<ApiKeyWithSecret | null>(null);
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={made ? 'Your new key' : 'New API key'}
      // A stray click must not throw away a key that is never shown again.
      closeOnClickOutside={!made}
      closeOnEscape={!made}
    >
      {made ? <KeyShown made={made} onDone={onClose} /> : <KeyForm onMade={setMade} onCancel={onClose} />}
    </Modal>
  );
}

function KeyForm({ onMade, onCancel }: { onMade: (made: ApiKeyWithSecret) => void; onCancel: () => void }) {
  const queryClient = useQueryClient();
  const labels = useQuery(labelsQuery);
  const form = useRef<HTMLFormElement>(null);
  const [fields, setFields] = useState<KeyFields>(emptyKey);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<KeyFields>) => setFields((before) => ({ ...before, ...change }));
  const publishable = fields.kind === 'publishable';

  async function submit(event: FormEvent) {
    event.preventDefault();
    const wrong = keyErrors(fields, new Date());
    setErrors(wrong);
    setProblem(null);
    if (Object.keys(wrong).length > 0) return focus(wrong);
    setBusy(true);
    try {
      const made = await api.post<ApiKeyWithSecret>('/api-keys', keyRequest(fields, new Date()));
      void queryClient.invalidateQueries({ queryKey: keys.apiKeys });
      onMade(made);
    } catch (error) {
      const refused = error instanceof ApiError ? error.fieldErrors() : {};
      setErrors(refused);
      if (Object.keys(refused).length > 0) focus(refused);
      else setProblem(error);
      setBusy(false);
    }
  }

  function focus(wrong: Record<string, string>) {
    const first = Object.keys(wrong)[0];
    window.setTimeout(() => form.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus());
  }

  return (
    <form ref={form} onSubmit={submit} className={classes.form} noValidate>
      <TextInput
        label="Name"
        name="name"
        placeholder="Website"
        description="What will use it"
        data-autofocus
        value={fields.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        error={errors.name}
        autoComplete="off"
      />
      <Radio.Group label="Where will it be used?" value={fields.kind} onChange={(kind) => set({ kind: kind as KeyFields['kind'] })}>
        <div className={classes.choices}>
          <Radio value="secret" label="On a server" description="Programs, scripts, n8n and the like. Keep it secret." />
          <Radio
            value="publishable"
            label="In a browser or an app"
            description="Anybody can find it there, so it can only fetch prompts, and only from the addresses you name."
          />
        </div>
      </Radio.Group>
      {publishable ? (
        <TagsInput
          label="Addresses of the pages that may use it"
          name="allowed_origins"
          description="Such as https://example.com. Press Enter after each one."
          value={fields.origins}
          onChange={(origins) => set({ origins })}
          error={errors.allowed_origins}
          acceptValueOnBlur
        />
      ) : (
        <>
          <Radio.Group label="What may it do?" value={fields.level} onChange={(level) => set({ level: level as Level })} error={errors.scopes}>
            <div className={classes.choices}>
              {levels.map(({ value, label, text }) => (
                <Radio key={value} value={value} label={label} description={text} />
              ))}
            </div>
          </Radio.Group>
          <Checkbox.Group label="And also" value={fields.extras} onChange={(chosen) => set({ extras: chosen as Scope[] })}>
            <div className={classes.choices}>
              {extras.map(({ value, label, text }) => (
                <Checkbox key={value} value={value} label={label} description={text} />
              ))}
            </div>
          </Checkbox.Group>
        </>
      )}
      <NativeSelect
        label="Ends"
        name="expires_at"
        data={expiries}
        value={fields.expiry}
        onChange={(event) => set({ expiry: event.currentTarget.value })}
        error={fields.expiry === 'date' ? undefined : errors.expires_at}
      />
      {fields.expiry === 'date' && (
        <TextInput
          type="date"
          name="expires_at"
          label="Last day"
          value={fields.date}
          onChange={(event) => set({ date: event.currentTarget.value })}
          error={errors.expires_at}
        />
      )}
      <details className={classes.more}>
        <summary>More limits</summary>
        <div className={classes.form}>
          <TagsInput
            label="Only these labels"
            name="labels"
            description="Empty means all. A key for “staging” cannot see what is live."
            data={labels.data?.map((label) => label.name) ?? []}
            value={fields.labels}
            onChange={(chosen) => set({ labels: chosen })}
            error={errors.labels}
            acceptValueOnBlur
          />
          <TagsInput
            label="Only from these network addresses"
            name="allowed_ips"
            description="Such as 203.0.113.7 or 10.0.0.0/8. Empty means from anywhere."
            value={fields.addresses}
            onChange={(addresses) => set({ addresses })}
            error={errors.allowed_ips}
            acceptValueOnBlur
          />
          <TextInput
            label="Requests a minute, at most"
            name="rate_limit_per_minute"
            inputMode="numeric"
            placeholder="No limit of its own"
            value={fields.rate}
            onChange={(event) => set({ rate: event.currentTarget.value.trim() })}
            error={errors.rate_limit_per_minute}
          />
        </div>
      </details>
      <FormProblem error={problem} />
      <div className={classes.buttons}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={busy}>
          Make key
        </Button>
      </div>
    </form>
  );
}
