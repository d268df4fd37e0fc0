/** What an error knows besides its message. */
export interface ErrorInfo {
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** The base of everything this SDK throws. Never holds an API key. */
export class Xr2Error extends Error {
  /** A stable, machine-readable code, such as `NOT_FOUND`. */
  readonly code: string;
  /** The HTTP status, when a server answered. */
  readonly status: number | undefined;
  /** The server's request id, for its logs. */
  readonly requestId: string | undefined;
  /** The server's structured details; empty when there are none. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, info: ErrorInfo = {}) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause });
    this.name = new.target.name;
    this.code = info.code ?? "ERROR";
    this.status = info.status;
    this.requestId = info.requestId;
    this.details = info.details ?? {};
  }
}

/** The call itself is wrong: a missing key, label and version together, an invalid slug. */
export class UsageError extends Xr2Error {
  constructor(message: string, info: ErrorInfo = {}) {
    super(message, { code: "INVALID_ARGUMENT", ...info });
  }
}

/** The server could not be reached, or the connection broke. */
export class ConnectionError extends Xr2Error {
  constructor(message: string, info: ErrorInfo = {}) {
    super(message, { code: "CONNECTION_ERROR", ...info });
  }
}

/** No answer in time. */
export class TimeoutError extends ConnectionError {
  constructor(message: string, info: ErrorInfo = {}) {
    super(message, { code: "TIMEOUT", ...info });
  }
}

/** The server answered with an error. */
export class ApiError extends Xr2Error {
  /** Seconds to wait before trying again, if the server said so. */
  readonly retryAfter: number | undefined;

  constructor(message: string, info: ErrorInfo & { readonly retryAfter?: number | undefined } = {}) {
    super(message, info);
    this.retryAfter = info.retryAfter;
  }
}

/** 401 or 403: the key is missing, wrong, revoked, expired or may not do this. */
export class AuthError extends ApiError {}

/** 401: the key is good for nothing any more, and what was fetched with it is no longer ours to keep. */
export function isRevoked(error: unknown): error is AuthError {
  return error instanceof AuthError && error.status === 401;
}

/** 404: there is no such prompt, version or label for this key. */
export class NotFoundError extends ApiError {}

/** 429: too many requests (see `retryAfter`), or a quota is used up (then there is none). */
export class RateLimitError extends ApiError {}

/** 5xx, or an answer that is not xr2's. */
export class ServerError extends ApiError {}

/** The server is behind what is in memory, and says that it is cut off: as good as no answer. */
export function cutOff(what: string): ServerError {
  return new ServerError(`${what}: the server is cut off from its database and behind`, { code: "UNAVAILABLE" });
}

/** 422: the request is understood but not acceptable. */
export class ValidationError extends ApiError {}

/** The template itself is faulty. */
export class TemplateError extends ValidationError {
  /** 1-based. */
  get line(): number | undefined {
    return asNumber(this.details["line"]);
  }

  /** 1-based, in characters. */
  get column(): number | undefined {
    return asNumber(this.details["column"]);
  }
}

/** What is wrong with one variable's value. */
export interface VariableProblem {
  readonly name: string;
  readonly problem:
    | "missing"
    | "wrong_type"
    | "not_in_enum"
    | "too_small"
    | "too_large"
    | "too_short"
    | "too_long"
    | "pattern_mismatch"
    | "item_wrong_type";
  readonly expected: string;
}

/** Values do not fit the prompt's contract. Every problem is listed in `variables`. */
export class InvalidVariablesError extends ValidationError {
  readonly variables: readonly VariableProblem[];

  constructor(message: string, variables: readonly VariableProblem[], info: ErrorInfo = {}) {
    super(message, { code: "INVALID_VARIABLES", details: { variables }, ...info });
    this.variables = variables;
  }
}

/** Required values are missing (other problems, if any, are listed as well). */
export class MissingVariablesError extends InvalidVariablesError {
  constructor(message: string, variables: readonly VariableProblem[], info: ErrorInfo = {}) {
    super(message, variables, { code: "MISSING_VARIABLES", ...info });
  }
}

/** Builds the error for values that break a prompt's contract. */
export function variablesError(
  slug: string,
  problems: readonly VariableProblem[],
  info: ErrorInfo = {},
): InvalidVariablesError {
  const missing = problems.filter((p) => p.problem === "missing").map((p) => p.name);
  const wrong = problems.filter((p) => p.problem !== "missing");
  const sentences: string[] = [];
  if (missing.length > 0) sentences.push(`missing ${missing.join(", ")}`);
  for (const p of wrong) sentences.push(`${p.name} ${PROBLEM_TEXT[p.problem] ?? p.problem} (expected ${p.expected})`);
  const message = `Cannot render "${slug}": ${sentences.join("; ")}`;
  return missing.length > 0
    ? new MissingVariablesError(message, problems, info)
    : new InvalidVariablesError(message, problems, info);
}

const PROBLEM_TEXT: Readonly<Record<string, string>> = {
  wrong_type: "has the wrong type",
  not_in_enum: "is not one of the allowed values",
  too_small: "is too small",
  too_large: "is too large",
  too_short: "is too short",
  too_long: "is too long",
  pattern_mismatch: "does not have the right form",
  item_wrong_type: "has an item of the wrong type",
};

/** The server's error envelope, as far as it could be read. */
export interface ErrorEnvelope {
  readonly code?: string;
  readonly message?: string;
  readonly details?: Record<string, unknown>;
  readonly request_id?: string;
}

/** Turns an error answer into the fitting error. */
export function errorFromAnswer(
  status: number,
  envelope: ErrorEnvelope,
  context: { readonly what: string; readonly slug: string; readonly requestId?: string; readonly retryAfter?: number },
): ApiError {
  const info = {
    code: envelope.code ?? `HTTP_${status}`,
    status,
    requestId: envelope.request_id ?? context.requestId,
    details: envelope.details ?? {},
    retryAfter: context.retryAfter,
  };
  const said = envelope.message ?? `the server answered ${status}`;
  if (status === 401 || status === 403) return new AuthError(`${context.what}: ${said}`, info);
  if (status === 404) return new NotFoundError(`${context.what}: ${said}`, info);
  if (status === 429) return new RateLimitError(`${context.what}: ${said}`, info);
  if (status >= 500) return new ServerError(`${context.what}: ${said}`, info);
  if (envelope.code === "MISSING_VARIABLES" || envelope.code === "INVALID_VARIABLES") {
    const variables = envelope.details?.["variables"];
    if (Array.isArray(variables)) return variablesError(context.slug, variables as VariableProblem[], info);
  }
  if (envelope.code === "TEMPLATE_ERROR") return new TemplateError(`${context.what}: ${said}`, info);
  if (status === 422) return new ValidationError(`${context.what}: ${said}`, info);
  return new ApiError(`${context.what}: ${said}`, info);
}

/** True when the last good copy may stand in: the server is away or unwell, not refusing. */
export function isTemporary(error: unknown): boolean {
  return error instanceof ConnectionError || error instanceof ServerError || error instanceof RateLimitError;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
