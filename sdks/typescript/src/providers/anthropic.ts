import type { PromptData, ProviderRequest } from "../types.js";

export declare function toAnthropic(data: PromptData): ProviderRequest;
