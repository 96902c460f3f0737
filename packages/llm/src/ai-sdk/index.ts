export type { AiClientOptions, AiPolicies } from './ai-call.ts';
export { type AiSdkMiddleware, type AiSdkOptions, createAiSdkMiddleware, type WrapOptions } from './middleware.ts';
export type { AiAsked } from './prompt.ts';
export { type AiSdkProviderOptions, createAiSdkProvider } from './provider.ts';
export type { AiGenerated, AiModel, AiParams, AiPart, AiStreamed } from './shapes.ts';
export {
  type AiSdkTelemetry,
  type AiSdkTelemetryOptions,
  createAiSdkTelemetry,
  type LanguageModelCall,
  type ToolExecution,
} from './telemetry.ts';
