/** Looks like an address; the server has the last word. */
const address = /^[^\s@<>",;]+@[^\s@<>",;]+\.[^\s@<>",;]+$/;

/** The addresses in what somebody pasted, each once, and the words that are none. */
export function emailsIn(text: string): { emails: string[]; rest: string[] } {
  const emails = new Map<string, string>();
  const rest: string[] = [];
  for (const piece of text.split(/[,;\n\r]+/)) {
    const inBrackets = /<([^<>]+)>/.exec(piece)?.[1];
    const words = inBrackets ? [inBrackets.trim()] : piece.split(/\s+/).filter(Boolean);
    for (const word of words) {
      if (!address.test(word)) rest.push(word);
      else if (!emails.has(word.toLowerCase())) emails.set(word.toLowerCase(), word);
    }
  }
  return { emails: [...emails.values()], rest };
}
