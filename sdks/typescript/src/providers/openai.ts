import type { PromptData, ProviderRequest } from "../types.js";

export declare function toOpenAI(data: PromptData): ProviderRequest;
