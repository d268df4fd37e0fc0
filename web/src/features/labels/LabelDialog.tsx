import { Button, Modal, Switch, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, api, path } from '~/api/client';
import { keys } from '~/api/keys';
import type { Label } from '~/api/types';
import { FormProblem } from '~/ui/FormProblem';
import { isLabelColor, type LabelColor, labelColors } from '~/ui/label-color';
import classes from './LabelsPage.module.css';
import { labelNameProblem } from './name';

const choices = Object.entries(labelColors) as [LabelColor, { name: string; css: string }][];

/** A colour that tells the new label from those before it. */
function nextColor(taken: Label[]): LabelColor {
  const used = new Set(taken.map((label) => label.color));
  return choices.map(([value]) => value).find((value) => value !== 'gray' && !used.has(value)) ?? 'gray';
}

interface Props {
  /** The label to change; absent for a new one. */
  label?: Label;
  taken: Label[];
  onClose: () => void;
}

/** Makes a label or changes how it looks and who may move it. Its name stays: clients ask for it. */
export default function LabelDialog({ label, taken, onClose }: Props) {
  const queryClient = useQueryClient();
  const [name, setName] = useState(label?.name ?? '');
  const [description, setDescription] = useState(label?.description ?? '');
  const [color, setColor] = useState(() => (isLabelColor(label?.color) ? label.color : nextColor(taken)));
  const [isProtected, setProtected] = useState(label?.protected ?? false);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const wrong = label ? null : labelNameProblem(name.trim(), taken.map((other) => other.name));
    setErrors(wrong ? { name: wrong } : {});
    setProblem(null);
    if (wrong) return;
    const looks = { color, description: description.trim(), protected: isProtected };
    setBusy(true);
    try {
      if (label) await api.put(path`/labels/${label.name}`, looks);
      else await api.post('/labels', { name: name.trim(), ...looks });
      await queryClient.invalidateQueries({ queryKey: keys.labels });
      onClose();
    } catch (error) {
      const refused = error instanceof ApiError ? error.fieldErrors() : {};
      setErrors(refused);
      if (Object.keys(refused).length === 0) setProblem(error);
      setBusy(false);
    }
  }

  return (
    <Modal opened onClose={onClose} title={label ? `Edit “${label.name}”` : 'New label'}>
      <form onSubmit={submit} className={classes.form} noValidate>
        {!label && (
          <TextInput
            label="Name"
            name="name"
            description="Clients ask for it by this name, so it cannot be changed later."
            placeholder="staging"
            classNames={{ input: 'mono' }}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value.toLowerCase())}
            error={errors.name}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
        )}
        <TextInput
          label="What is it for?"
          name="description"
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          error={errors.description}
          autoComplete="off"
        />
        <fieldset className={classes.colors}>
          <legend>Colour</legend>
          {choices.map(([value, swatch]) => (
            <label key={value} className={classes.color} title={swatch.name}>
              <input
                type="radio"
                name="color"
                value={value}
                aria-label={swatch.name}
                checked={color === value}
                onChange={() => setColor(value)}
              />
              <span style={{ background: swatch.css }} />
            </label>
          ))}
        </fieldset>
        <Switch
          label="Protected"
          description="Only admins and owners may move it."
          checked={isProtected}
          onChange={(event) => setProtected(event.currentTarget.checked)}
        />
        <FormProblem error={problem} />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {label ? 'Keep changes' : 'Make label'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
