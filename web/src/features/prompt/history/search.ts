/** What of the history is on the screen, kept in the address so that it can be sent to somebody. */
export interface HistorySearch {
  /** The version that is shown. */
  version?: number;
  /** The older side of a comparison. */
  against?: number;
  /** How a comparison is laid out. */
  view?: 'split';
}

const positive = (value: unknown): number | undefined => {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : undefined;
};

export function parseHistorySearch(search: Record<string, unknown>): HistorySearch {
  const version = positive(search.version);
  const against = positive(search.against);
  // Every name is said: what is not, the router passes on from the address as it is.
  return {
    version,
    against: version !== undefined && against !== version ? against : undefined,
    view: search.view === 'split' ? 'split' : undefined,
  };
}
