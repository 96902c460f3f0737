export { type AnthropicMiddleware, type AnthropicRequest, createAnthropicMiddleware } from './middleware.ts';
