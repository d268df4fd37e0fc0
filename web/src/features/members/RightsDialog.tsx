import { Button, Modal, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import type { Member, Permissions } from '~/api/types';
import { FormProblem } from '~/ui/FormProblem';
import { useSubmit } from '~/ui/use-submit';
import { usePeople } from './actions';
import classes from './Members.module.css';
import { fineRights, roleAllows, roleLabel } from './words';

type Choice = 'role' | 'allow' | 'forbid';

const choiceOf = (allowed: boolean | undefined): Choice =>
  allowed === undefined ? 'role' : allowed ? 'allow' : 'forbid';

/** Allows somebody more than the role does, or forbids some of it. */
export default function RightsDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { change } = usePeople();
  const { busy, problem, run } = useSubmit();
  const [permissions, setPermissions] = useState<Permissions>(member.permissions);

  function choose(right: string, choice: Choice) {
    setPermissions((before) => {
      const { [right]: _, ...others } = before;
      return choice === 'role' ? others : { ...others, [right]: choice === 'allow' };
    });
  }

  const save = () =>
    run(async () => {
      await change(member, { permissions });
      onClose();
    }, []);

  return (
    <Modal opened onClose={onClose} title={`What ${member.user.name} may do`}>
      <div className={classes.form}>
        <p className={classes.quiet}>
          {roleLabel(member.role)} is the role. Here you allow more than it does, or forbid some of it.
        </p>
        {fineRights.map(({ right, label, text, from }) => (
          <div key={right} className={classes.right}>
            <span id={`right-${right}`}>
              {label}
              <small>{text}</small>
            </span>
            <SegmentedControl
              size="xs"
              aria-labelledby={`right-${right}`}
              value={choiceOf(permissions[right])}
              onChange={(choice) => choose(right, choice as Choice)}
              data={[
                { value: 'role', label: roleAllows(member.role, from) ? 'As the role: yes' : 'As the role: no' },
                { value: 'allow', label: 'Allow' },
                { value: 'forbid', label: 'Forbid' },
              ]}
            />
          </div>
        ))}
        <FormProblem error={problem} />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={() => void save()} loading={busy}>
            Keep changes
          </Button>
        </div>
      </div>
    </Modal>
  );
}
