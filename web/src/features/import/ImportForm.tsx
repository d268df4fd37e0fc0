import { Button, Checkbox, NativeSelect, Radio } from '@mantine/core';
import { IconFileImport, IconX } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { checkFile } from '~/api/imports';
import type { ImportFormat, OnConflict } from '~/api/types';
import { FormProblem } from '~/ui/FormProblem';
import { useSubmit } from '~/ui/use-submit';
import { columnsOfFile } from './columns';
import { DropZone } from './DropZone';
import classes from './Import.module.css';
import { conflicts, fields, formats, type PublishChoice, publishFlag, publishing } from './words';

/** The file, and what to do with what is here already. */
export function ImportForm() {
  const navigate = useNavigate();
  const [file, setFile] = useState<File | null>(null);
  const [columns, setColumns] = useState<string[]>([]);
  const [mapping, setMapping] = useState<Record<string, string>>({});
  const [format, setFormat] = useState<ImportFormat>('auto');
  const [conflict, setConflict] = useState<OnConflict>('update');
  const [publish, setPublish] = useState<PublishChoice>('none');
  const [together, setTogether] = useState(false);
  const { busy, problem, run } = useSubmit();

  async function choose(chosen: File | null) {
    setFile(chosen);
    setMapping({});
    // An export knows what was live; other files do not.
    setPublish(chosen && /\.json$/i.test(chosen.name) ? 'file' : 'none');
    setColumns(chosen ? await columnsOfFile(chosen) : []);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!file) return;
    const named = Object.fromEntries(Object.entries(mapping).filter(([, column]) => column !== ''));
    void run(async () => {
      const { id } = await checkFile(file, {
        format,
        on_conflict: conflict,
        all_or_nothing: together,
        publish: publishFlag[publish],
        ...(Object.keys(named).length > 0 && { mapping: named }),
      });
      await navigate({ to: '/import/$id', params: { id } });
    }, []);
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      {file ? <Chosen file={file} onDrop={() => void choose(null)} /> : <DropZone onFile={(chosen) => void choose(chosen)} />}
      <NativeSelect
        label="What kind of file is it?"
        value={format}
        onChange={(event) => setFormat(event.currentTarget.value as ImportFormat)}
        data={formats}
        className={classes.narrow}
      />
      {columns.length > 0 && (
        <fieldset className={classes.columns}>
          <legend>Which column is what?</legend>
          <div className={classes.grid}>
            {fields.map(({ value, label }) => (
              <NativeSelect
                key={value}
                label={label}
                size="xs"
                data={[{ value: '', label: 'Find out by itself' }, ...columns.map((name) => ({ value: name, label: name }))]}
                value={mapping[value] ?? ''}
                onChange={(event) => {
                  const column = event.currentTarget.value;
                  setMapping((before) => ({ ...before, [value]: column }));
                }}
              />
            ))}
          </div>
        </fieldset>
      )}
      <Radio.Group label="When a prompt is here already" value={conflict} onChange={(value) => setConflict(value as OnConflict)}>
        <div className={classes.choices}>
          {conflicts.map((choice) => (
            <Radio key={choice.value} {...choice} />
          ))}
        </div>
      </Radio.Group>
      <NativeSelect
        label="Does it go live?"
        value={publish}
        onChange={(event) => setPublish(event.currentTarget.value as PublishChoice)}
        data={publishing}
        className={classes.narrow}
      />
      <Checkbox
        label="All or nothing"
        description="When a single one cannot be imported, none is."
        checked={together}
        onChange={(event) => setTogether(event.currentTarget.checked)}
      />
      <FormProblem error={problem} />
      <div className={classes.buttons}>
        <Button type="submit" loading={busy} disabled={!file}>
          See what would happen
        </Button>
      </div>
    </form>
  );
}

function Chosen({ file, onDrop }: { file: File; onDrop: () => void }) {
  return (
    <div className={classes.chosen}>
      <IconFileImport size={20} stroke={1.5} aria-hidden />
      <span className={classes.fileName}>{file.name}</span>
      <span className={classes.quiet}>{sizeWords(file.size)}</span>
      <Button variant="subtle" color="gray" size="xs" leftSection={<IconX size={14} aria-hidden />} onClick={onDrop}>
        Another file
      </Button>
    </div>
  );
}

/** "1.4 MB", in the reader's way of writing numbers. */
function sizeWords(bytes: number): string {
  const words = (amount: number, unit: string) => `${amount.toLocaleString(undefined, { maximumFractionDigits: 1 })} ${unit}`;
  if (bytes < 1_000) return words(bytes, 'bytes');
  return bytes < 1_000_000 ? words(bytes / 1_000, 'kB') : words(bytes / 1_000_000, 'MB');
}
