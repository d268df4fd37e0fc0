export const shortestPassword = 10;
export const longestPassword = 256;

/** What is wrong with a new password, as far as can be told here; the server has the last word. */
export function passwordProblem(password: string, email: string): string | null {
  const length = [...password].length;
  if (length < shortestPassword) {
    const missing = shortestPassword - length;
    return `${missing} more ${missing === 1 ? 'character' : 'characters'}, please: a password has ${shortestPassword} or more.`;
  }
  if (length > longestPassword) return `That is longer than ${longestPassword} characters.`;
  if (email && password.toLowerCase() === email.toLowerCase()) return 'The password must not be your email.';
  return null;
}
