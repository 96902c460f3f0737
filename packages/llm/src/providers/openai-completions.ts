/**
 * OpenAI's completions of a prompt, which are old, and whoever still speaks them: vLLM, llama.cpp, Ollama, DeepSeek and others.
 *
 * @see https://platform.openai.com/docs/api-reference/completions
 */
import { type Key, lengthOfText } from '../body/json-text.ts';
import { requestShape } from '../request/request-shape.ts';
import type { Api, EventKind } from './api.ts';
import { deploymentIn } from './azure.ts';
import { ChatReader, openaiChat, saysMore } from './openai-chat.ts';

export const openaiCompletions: Api = {
  provider: 'openai',
  name: 'completions',
  detect: (path) =>
    path.endsWith('/completions') && openaiChat.detect(path) === undefined ? deploymentIn(path) : undefined,
  request: requestShape({
    maxOutputTokens: ['max_tokens'],
    // Of those that are made, the best are returned; all are billed.
    choices: ['n', 'best_of'],
    prompts: 'prompt',
    usageOnRequest: true,
  }),
  answer: openaiChat.answer,
  readStream: (choices) => new CompletionsReader(choices),
};

/** The events are those of chat completions, but for the text. */
class CompletionsReader extends ChatReader {
  override read(type: string, data: string): EventKind {
    const kind = super.read(type, data);
    return kind === undefined ? this.add(lengthOfText(data, 'text"')) : kind;
  }

  override pieceIn(data: string): Key | undefined {
    return saysMore(data) || lengthOfText(data, 'text"') === 0 ? undefined : 'text"';
  }
}
