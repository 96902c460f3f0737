/** A request of core in the words of the AI SDK. */
import type { LlmMessage, LlmRequest, LlmTool } from '@sage-adk/core';
import { parseJson } from '../body/json-text.ts';
import type { AiParams } from './shapes.ts';

/** What a language model of the AI SDK is asked. */
export interface AiAsked extends AiParams {
  readonly temperature?: number | undefined;
}

export function askedOf(request: LlmRequest, signal: AbortSignal | undefined): AiAsked {
  const { messages, maxOutputTokens, temperature, tools = [] } = request;
  return {
    prompt: promptOf(messages),
    ...(tools.length > 0 && { tools: tools.map(toolOf) }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(signal !== undefined && { abortSignal: signal }),
  };
}

function promptOf(messages: readonly LlmMessage[]): readonly object[] {
  const calls = messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id, name }) => [id, name] as const));
  const toolNames = new Map(calls);
  return messages.map((message) => ({ role: message.role, content: contentOf(message, toolNames) }));
}

function contentOf(message: LlmMessage, toolNames: ReadonlyMap<string, string>): string | readonly object[] {
  const { role, content, toolCallId = '' } = message;
  if (role === 'system') return content;
  if (role === 'user') return [{ type: 'text', text: content }];
  if (role === 'assistant') return saidBy(message);
  const toolName = toolNames.get(toolCallId) ?? 'unknown';
  return [{ type: 'tool-result', toolCallId, toolName, output: { type: 'text', value: content } }];
}

function saidBy({ content, toolCalls = [] }: LlmMessage): readonly object[] {
  const text = content === '' ? [] : [{ type: 'text', text: content }];
  const calls = toolCalls.map(({ id, name, arguments: json }) => ({
    type: 'tool-call',
    toolCallId: id,
    toolName: name,
    input: parseJson(json) ?? {},
  }));
  return [...text, ...calls];
}

function toolOf({ name, description, parameters }: LlmTool): object {
  return { type: 'function', name, description, inputSchema: parameters };
}
