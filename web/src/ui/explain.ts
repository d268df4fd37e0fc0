import { ApiError } from '~/api/client';

export interface Explanation {
  title: string;
  /** What it means for the reader's work, and what to do. */
  text: string;
}

function wait(seconds: number | null): string {
  if (!seconds) return 'Wait a moment, then try again.';
  if (seconds < 90) return `Wait ${seconds} seconds, then try again.`;
  return `Wait ${Math.ceil(seconds / 60)} minutes, then try again.`;
}

/** The server's words as a sentence of their own. */
function sentence(words: string): string {
  const capital = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** Turns any failure into words for the person in front of the screen. */
export function explain(error: unknown): Explanation {
  if (!(error instanceof ApiError)) {
    return {
      title: 'Something went wrong on this page',
      text: 'Your saved work is safe. Reload the page; if it happens again, tell whoever runs this server.',
    };
  }
  if (error.offline) {
    return {
      title: 'The server cannot be reached',
      text: 'Nothing is lost: what you typed stays on this page. Check your connection, then try again.',
    };
  }
  switch (error.status) {
    case 401:
      return { title: 'You are signed out', text: 'Sign in again to go on where you were.' };
    case 403:
      return { title: 'You may not do this', text: `${sentence(error.message)} Ask an admin of the workspace for the right.` };
    case 404:
      return { title: 'Not found', text: `${sentence(error.message)} It may have been deleted or renamed.` };
    case 409:
      return { title: 'Somebody was faster', text: error.message };
    case 413:
      return { title: 'That is too large', text: error.message };
    case 429:
      return { title: 'Too many requests', text: wait(error.retryAfter) };
    case 503:
      return {
        title: 'The server is not ready',
        text: 'Your saved work is safe, and clients keep getting their prompts. Try again in a moment.',
      };
    default:
      if (error.status >= 500) {
        return {
          title: 'The server made a mistake',
          text: 'Your saved work is safe. Try again; if it happens again, quote the reference below.',
        };
      }
      return { title: 'That did not work', text: error.message };
  }
}
