import type { LlmMessage, LlmProvider } from '@sage-adk/core';
import { createScriptedLlm, type ScriptRule } from '@sage-adk/core/testing';

/**
 * A model that needs no key, no service and no network: it answers from a small script and streams word by word, with usage.
 *
 * It is here so that the agent runs out of the box and its tests always see the same answers. Put your own `LlmProvider` in its place.
 */
export function createLocalModel(): LlmProvider {
  return createScriptedLlm({ name: 'local', rules, keepRequests: 0 });
}

const introduction = /\b(?:my name is|call me)\s+(\p{L}[\p{L}'-]*)/iu;

/** The first rule that fits the newest message answers. */
const rules: readonly ScriptRule[] = [
  { when: introduction, answer: (_, { match }) => `Nice to meet you, ${match?.[1]}. I will remember your name.` },
  {
    when: /\bwhat(?:'s| is) my name\b|\bwho am i\b/i,
    answer({ messages }) {
      const name = saidIn(messages).findLast((text) => introduction.test(text));
      return name === undefined
        ? 'You have not told me your name yet.'
        : `Your name is ${introduction.exec(name)?.[1]}.`;
    },
  },
  {
    when: /\bwhat did i (?:just )?(?:say|ask|tell you)\b/i,
    answer({ messages }) {
      const before = saidIn(messages).at(-2);
      return before === undefined ? 'This is the first thing you said.' : `Before that you said: ${before}`;
    },
  },
  {
    when: /^\s*(?:hello|hi|hey)\b/i,
    answer: 'Hello! I am a scripted model. Tell me your name, then ask me what it is.',
  },
  { answer: ({ messages }) => `You said: ${saidIn(messages).at(-1) ?? ''}` },
];

function saidIn(messages: readonly LlmMessage[]): readonly string[] {
  return messages.filter(({ role }) => role === 'user').map(({ content }) => content);
}
