/** Puts a text on the clipboard. Falls back for plain-http addresses, where browsers hide the API. */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused: try the older way.
    }
  }
  const holder = document.createElement('textarea');
  holder.value = text;
  holder.setAttribute('readonly', '');
  holder.style.position = 'fixed';
  holder.style.opacity = '0';
  const previous = document.activeElement;
  // A dialog keeps the focus inside itself, so the helper must be inside it as well.
  (previous?.closest('[role="dialog"]') ?? document.body).append(holder);
  holder.select();
  let done = false;
  try {
    done = document.execCommand('copy');
  } catch {
    done = false;
  }
  holder.remove();
  if (previous instanceof HTMLElement) previous.focus();
  return done;
}
