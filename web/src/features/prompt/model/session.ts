import type { Draft, PromptBody, PromptDetails, Version } from '~/api/types';
import { Autosave, type SaveOutcome } from './autosave';
import { type EditBody, bodyOfVersion, fromEdit, sameBody, toEdit } from './body';

/** How the session reaches the server and this device; given from outside so that it can be tested. */
export interface SessionPorts {
  saveDraft: (body: PromptBody, stamp: DraftStamp) => Promise<DraftAnswer>;
  backup: (body: PromptBody | null, base: number | null) => void;
}

/** Which draft a save replaces, and which version it was begun from. */
export interface DraftStamp {
  revision: number | null;
  base: number | null;
}

export type DraftAnswer =
  | { ok: true; draft: Draft }
  | { ok: false; conflict: Draft }
  | { ok: false; gone: true }
  | { ok: false; message: string; retry: boolean };

const emptyBody: PromptBody = { type: 'text', syntax: 'simple', content: '', variables: [], config: {} };

/**
 * The working copy of one prompt while its page is open, above all tabs: what is typed, which draft on
 * the server it belongs to, and the saving of it.
 */
export class EditSession {
  readonly autosave: Autosave<PromptBody>;
  private edit: EditBody;
  private stamp: DraftStamp;
  /** The body as the server has it, in the draft or, without one, in the newest version. */
  private onServer: PromptBody;
  private readonly listeners = new Set<() => void>();

  constructor(
    details: PromptDetails,
    private readonly ports: SessionPorts,
  ) {
    this.onServer = currentBody(details);
    this.stamp = stampOf(details);
    this.edit = toEdit(this.onServer);
    this.autosave = new Autosave<PromptBody>({
      save: (body) => this.save(body),
      backup: (body) => ports.backup(body, this.stamp.base),
    });
  }

  get body(): EditBody {
    return this.edit;
  }

  /** The newest version this work began from. */
  get base(): number | null {
    return this.stamp.base;
  }

  get hasDraft(): boolean {
    return this.stamp.revision !== null;
  }

  get revision(): number | null {
    return this.stamp.revision;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): EditBody => this.edit;

  /** The working copy as the API takes it. */
  current(): PromptBody {
    return fromEdit(this.edit);
  }

  /** An edit by the person at the keyboard. */
  readonly update = (change: (body: EditBody) => EditBody): void => {
    const next = change(this.edit);
    if (next === this.edit) return;
    this.edit = next;
    this.emit();
    const body = fromEdit(next);
    // Typing and taking it back leaves nothing to save.
    if (!this.autosave.unsaved && sameBody(body, this.onServer)) return;
    this.autosave.change(body);
  };

  /** Puts another body in place as if it had been typed. */
  readonly replace = (body: PromptBody): void => {
    this.update(() => toEdit(body));
  };

  /**
   * Takes in fresh details. What is typed here and not yet saved stays; otherwise the newer state of
   * the server is shown. Answers whether the shown body changed.
   */
  take(details: PromptDetails): boolean {
    if (this.autosave.unsaved || this.autosave.state.phase === 'conflict') return false;
    const theirs = stampOf(details);
    if (isOlder(theirs, this.stamp)) return false;
    const body = currentBody(details);
    this.stamp = theirs;
    this.onServer = body;
    if (sameBody(body, fromEdit(this.edit))) return false;
    this.edit = toEdit(body);
    this.emit();
    return true;
  }

  /** After a publish: the working copy is this version, and there is no draft any more. */
  published(version: Version): void {
    const body = bodyOfVersion(version);
    const typedMeanwhile = this.autosave.unsaved && !sameBody(fromEdit(this.edit), body);
    this.stamp = { revision: null, base: version.number };
    this.onServer = body;
    if (typedMeanwhile) {
      this.autosave.resolve(fromEdit(this.edit));
    } else {
      this.autosave.reset();
    }
    this.emit();
  }

  /** Throws the draft away: the working copy is this version again. */
  discarded(version: Version): void {
    this.stamp = { revision: null, base: version.number };
    this.onServer = bodyOfVersion(version);
    this.autosave.reset();
    this.edit = toEdit(this.onServer);
    this.emit();
  }

  /** Goes on from somebody else's draft with a body of one's own choice; null takes theirs. */
  settle(theirs: Draft, mine: PromptBody | null): void {
    this.stamp = { revision: theirs.revision, base: theirs.base_version };
    this.onServer = bodyOfVersion(theirs);
    this.edit = toEdit(mine ?? this.onServer);
    this.autosave.resolve(mine);
    this.emit();
  }

  /** Goes on above a newer version: the draft is kept and now begins from there. */
  rebase(version: number, mine: PromptBody): void {
    this.stamp = { ...this.stamp, base: version };
    this.edit = toEdit(mine);
    this.autosave.resolve(mine);
    this.emit();
  }

  private async save(body: PromptBody): Promise<SaveOutcome> {
    const answer = await this.ports.saveDraft(body, this.stamp);
    if (answer.ok) {
      this.stamp = { revision: answer.draft.revision, base: answer.draft.base_version };
      this.onServer = body;
      return { ok: true };
    }
    if ('conflict' in answer) return { ok: false, conflict: answer.conflict };
    if ('gone' in answer) {
      // The draft was published or thrown away elsewhere: what is here becomes a new one.
      this.stamp = { ...this.stamp, revision: null };
      return this.save(body);
    }
    return { ok: false, message: answer.message, retry: answer.retry };
  }

  private emit(): void {
    for (const listener of this.listeners) listener();
  }
}

/** What the edit page begins with: the draft, else the newest version. */
export function currentBody(details: PromptDetails): PromptBody {
  const source = details.draft ?? details.version;
  return source ? bodyOfVersion(source) : emptyBody;
}

function stampOf({ draft, version }: PromptDetails): DraftStamp {
  return draft
    ? { revision: draft.revision, base: draft.base_version }
    : { revision: null, base: version?.number ?? null };
}

/** An answer that left the server before our last save. */
function isOlder(theirs: DraftStamp, ours: DraftStamp): boolean {
  if (theirs.revision !== null && ours.revision !== null) return theirs.revision < ours.revision;
  return (theirs.base ?? 0) < (ours.base ?? 0);
}
