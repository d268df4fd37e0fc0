import type { PromptData, ProviderRequest } from "../types.js";

export function toAnthropic(data: PromptData): ProviderRequest { return data as never; }
