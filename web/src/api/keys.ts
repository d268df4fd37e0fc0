/**
 * Names of everything that is kept in the query cache. What belongs to a prompt begins with its slug's
 * key, so that one invalidation reaches its details, history, labels and drafts.
 */
export const keys = {
  authStatus: ['auth-status'] as const,
  me: ['me'] as const,
  sessions: ['sessions'] as const,
  apiKeys: ['api-keys'] as const,
  labels: ['labels'] as const,
  members: (workspace: string) => ['members', workspace] as const,
  invitations: (workspace: string) => ['invitations', workspace] as const,
  invitation: (token: string) => ['invitation', token] as const,
  /** What happened, whatever is looked for. */
  activity: ['activity'] as const,
  imports: ['imports'] as const,
  import: (id: string) => ['imports', id] as const,
  usage: ['usage'] as const,
  /** All folders of the workspace. */
  folders: ['folders'] as const,
  /** The filters that were given a name. */
  views: ['views'] as const,

  /** The running programs of the workspace. */
  clients: ['clients'] as const,

  /** Every list of prompts, whatever its filters. */
  promptLists: ['prompts'] as const,
  promptList: (filters: object) => ['prompts', filters] as const,

  /** Everything about one prompt. */
  prompt: (slug: string) => ['prompt', slug] as const,
  promptDetails: (slug: string) => ['prompt', slug, 'details'] as const,
  versions: (slug: string, page?: number) => ['prompt', slug, 'versions', page ?? 1] as const,
  version: (slug: string, version: number) => ['prompt', slug, 'version', version] as const,
  promptLabels: (slug: string) => ['prompt', slug, 'labels'] as const,
  promptClients: (slug: string, label: string) => ['prompt', slug, 'clients', label] as const,
  previewLinks: (slug: string) => ['prompt', slug, 'preview-links'] as const,
  history: (slug: string) => ['prompt', slug, 'history'] as const,
  diff: (slug: string, version: string | number, against?: string | number) =>
    ['prompt', slug, 'diff', version, against ?? 'parent'] as const,
};
