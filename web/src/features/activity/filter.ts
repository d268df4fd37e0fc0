export interface ActivitySearch {
  type?: string;
  mine?: boolean;
  prompt?: string;
}

/** What the address says is looked for. */
export function parseActivitySearch(search: Record<string, unknown>): ActivitySearch {
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  return { type: text(search.type), mine: search.mine === true ? true : undefined, prompt: text(search.prompt) };
}
