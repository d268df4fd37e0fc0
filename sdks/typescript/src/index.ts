export { Xr2, xr2, type GetManyOptions, type GetOptions } from "./client.js";
export {
  ApiError,
  AuthError,
  ConnectionError,
  InvalidVariablesError,
  MissingVariablesError,
  NotFoundError,
  RateLimitError,
  ServerError,
  TemplateError,
  TimeoutError,
  UsageError,
  ValidationError,
  Xr2Error,
  type ErrorInfo,
  type VariableProblem,
} from "./errors.js";
export type { PromptRequest } from "./fluent.js";
export type { Timing, Xr2Options } from "./options.js";
export { Prompt, type ProviderOptions, type RenderOptions } from "./prompt.js";
export { fileSnapshot, type SnapshotStore } from "./snapshot.js";
export type {
  ABTest,
  ChatMessage,
  Fallback,
  ImagePart,
  Include,
  Message,
  MessagePart,
  PlaceholderMessage,
  ProviderRequest,
  Role,
  Source,
  Syntax,
  TextPart,
  Values,
  Variable,
  VariableType,
  Warning,
} from "./types.js";
export { VERSION } from "./version.js";
