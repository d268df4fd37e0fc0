import type { PromptData } from "./types.js";

/** What stands on the caller's span. */
type PromptAttributes = Readonly<Record<string, string | number>>;

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
}

/**
 * Puts the prompt on the active span, if the program uses OpenTelemetry. A fault there is
 * none of ours: tracing never stops a read.
 */
export function annotate(data: PromptData): void {
  const api = (globalThis as Record<symbol, OpenTelemetry | undefined>)[API];
  if (api?.context === undefined) return;
  try {
    api.context.active().getValue(SPAN)?.setAttributes(attributesOf(data));
  } catch {
    return;
  }
}

function attributesOf({ slug, version, label, ab_test: test }: PromptData): PromptAttributes {
  return {
    "xr2.prompt.slug": slug,
    ...(version === null || version === undefined ? {} : { "xr2.prompt.version": version }),
    ...(label === null || label === undefined ? {} : { "xr2.prompt.label": label }),
    ...(test ? { "xr2.prompt.variant": test.variant } : {}),
  };
}
