import { useQueryClient } from '@tanstack/react-query';
import { type DragEvent, useEffect, useRef, useState } from 'react';
import type { Folder } from '~/api/types';
import { useBulk } from '~/features/bulk/use-bulk';
import { notifyError, notifyUndo } from '~/ui/notify';
import { dragged, setDragged } from './dragging';
import { changeFolder, refreshFolders } from './queries';
import { mayMoveInto } from './tree';

export interface DropProps {
  onDragOver: (event: DragEvent) => void;
  onDragLeave: (event: DragEvent) => void;
  onDrop: (event: DragEvent) => void;
}

/** The place above all folders, as a target. */
export const top = 'top';
/** A closed folder opens when something is held over it for so long. */
const opensAfter = 700;

/**
 * Lets go of prompts and folders over a folder. Prompts move there; with Ctrl or ⌥ they stay where they are
 * as well. Everything can be taken back.
 */
export function useFolderDrop(folders: Folder[], shown: string | undefined, onHold: (id: string) => void) {
  const queryClient = useQueryClient();
  const bulk = useBulk();
  const [target, setTarget] = useState<string | null>(null);
  const timer = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  function takes(id: string): boolean {
    const carried = dragged();
    if (carried === null) return false;
    if (carried.kind === 'prompts') return id !== top && id !== shown;
    return mayMoveInto(folders, carried.id, id === top ? null : id);
  }

  function leave() {
    window.clearTimeout(timer.current);
    setTarget(null);
  }

  async function put(id: string, isCopy: boolean) {
    const carried = dragged();
    setDragged(null);
    if (carried === null) return;
    if (carried.kind === 'prompts') {
      const name = folders.find((folder) => folder.id === id)?.name;
      await bulk.run({ action: isCopy ? 'add_to_folder' : 'move_to_folder', folder: id }, carried.prompts, name);
    } else {
      await moveFolder(carried.id, id === top ? null : id);
    }
  }

  async function moveFolder(id: string, parent: string | null) {
    const folder = folders.find((candidate) => candidate.id === id);
    if (!folder) return;
    try {
      await changeFolder(id, { parent_folder_id: parent });
      await refreshFolders(queryClient);
      const name = folders.find((candidate) => candidate.id === parent)?.name;
      notifyUndo({
        message: name === undefined ? `“${folder.name}” stands at the top.` : `“${folder.name}” stands in “${name}”.`,
        undo: async () => {
          await changeFolder(id, { parent_folder_id: folder.parent_folder_id });
          await refreshFolders(queryClient);
        },
      });
    } catch (error) {
      notifyError(error, `“${folder.name}” was not moved`);
    }
  }

  function propsFor(id: string): DropProps {
    return {
      onDragOver: (event) => {
        if (!takes(id)) return;
        event.preventDefault();
        event.stopPropagation();
        event.dataTransfer.dropEffect = dragged()?.kind === 'prompts' && wantsCopy(event) ? 'copy' : 'move';
        if (target === id) return;
        setTarget(id);
        window.clearTimeout(timer.current);
        timer.current = window.setTimeout(() => onHold(id), opensAfter);
      },
      onDragLeave: (event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) leave();
      },
      onDrop: (event) => {
        event.preventDefault();
        event.stopPropagation();
        leave();
        if (takes(id)) void put(id, wantsCopy(event));
      },
    };
  }

  return { target, propsFor, bulk };
}

export type FolderDrop = ReturnType<typeof useFolderDrop>;

const wantsCopy = (event: DragEvent) => event.ctrlKey || event.altKey || event.metaKey;
