import type { PromptData, ProviderRequest } from "../types.js";

export function toGoogle(data: PromptData): ProviderRequest { return data as never; }
