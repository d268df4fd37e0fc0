import type { PromptData } from "./types.js";

/** What stands on the caller's span. */
type PromptAttributes = Readonly<Record<string, string | number | undefined>>;

/** Where every copy of `@opentelemetry/api` 1.x keeps what the program registered. */
const API = Symbol.for("opentelemetry.js.api.1");
/** Under which the API keeps the active span in a context. */
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");

/** As much of OpenTelemetry's API as is used here. */
interface OpenTelemetry {
  readonly context?: { active(): { getValue(key: symbol): Span | undefined } };
}

interface Span {
  setAttributes(attributes: PromptAttributes): unknown;
  /** What OpenTelemetry's own spans hold. The API has no way to take an attribute back. */
  readonly attributes?: Record<string, unknown>;
}

/**
 * Puts the prompt on the active span, if the program uses OpenTelemetry. A fault there is
 * none of ours: tracing never stops a read.
 */
export function annotate(data: PromptData): void {
  const api = (globalThis as Record<symbol, OpenTelemetry | undefined>)[API];
  if (api?.context === undefined) return;
  try {
    const span = api.context.active().getValue(SPAN);
    if (span) put(span, attributesOf(data));
  } catch {
    return;
  }
}

/** Which attributes stand on a span because of an earlier prompt. */
const marked = new WeakMap<Span, ReadonlySet<string>>();

/** Sets them all. What an earlier prompt left and this one has not is cleared. */
function put(span: Span, wanted: PromptAttributes): void {
  const set: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) set[name] = value;
  for (const name of marked.get(span) ?? []) {
    if (name in set) continue;
    if (span.attributes !== undefined) delete span.attributes[name];
    else set[name] = "";
  }
  marked.set(span, new Set(Object.keys(set)));
  span.setAttributes(set);
}

function attributesOf({ slug, version, label, ab_test: test }: PromptData): PromptAttributes {
  return {
    "xr2.prompt.slug": slug,
    "xr2.prompt.version": version ?? undefined,
    "xr2.prompt.label": label ?? undefined,
    "xr2.prompt.variant": test ? test.variant : undefined,
  };
}
