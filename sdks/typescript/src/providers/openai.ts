import type { PromptData, ProviderRequest } from "../types.js";

export function toOpenAI(data: PromptData): ProviderRequest { return data as never; }
