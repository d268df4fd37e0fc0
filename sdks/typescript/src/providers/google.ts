import type { PromptData, ProviderRequest } from "../types.js";

export declare function toGoogle(data: PromptData): ProviderRequest;
