import type { Entry, KeyValueStore, LlmMessage } from '@sage-adk/core';

/** What was said in each conversation. */
export interface Conversations {
  /** The turns so far, oldest first; none where the conversation is new or was forgotten. */
  read(conversation: ConversationKey): Promise<readonly LlmMessage[]>;
  /** Adds `turns` to the end and drops the oldest that no longer fit. */
  append(conversation: ConversationKey, turns: readonly LlmMessage[]): Promise<void>;
}

/** A conversation belongs to the user that holds it: another user who guesses its context id finds nothing. */
export interface ConversationKey {
  readonly userId: string;
  readonly contextId: string;
}

export interface ConversationsOptions {
  readonly store: KeyValueStore;
  /** Milliseconds after the last message until a conversation is forgotten. @default one hour */
  readonly ttlMs?: number;
  /** Turns that are kept of each. @default 40 */
  readonly maxTurns?: number;
  /** Characters that are kept of each. @default 16_384 */
  readonly maxCharacters?: number;
}

const mostTries = 5;

/** Conversations in any store that fits the contract. */
export function createConversations({
  store,
  ttlMs = 3_600_000,
  maxTurns = 40,
  maxCharacters = 16_384,
}: ConversationsOptions): Conversations {
  return {
    async read(conversation) {
      return turnsOf(await store.get(keyOf(conversation)));
    },
    async append(conversation, turns) {
      const key = keyOf(conversation);
      // Two answers of one conversation may end at once; neither may take the other's turns away.
      for (let tries = 1; tries <= mostTries; tries++) {
        const entry = await store.get(key);
        const kept = newest([...turnsOf(entry), ...turns], maxTurns, maxCharacters);
        const ifVersion = entry?.version ?? null;
        if ((await store.set(key, kept, { ttlMs, ifVersion })) !== undefined) return;
      }
    },
  };
}

function turnsOf(entry: Entry | undefined): readonly LlmMessage[] {
  return (entry?.value as readonly LlmMessage[] | undefined) ?? [];
}

function keyOf({ userId, contextId }: ConversationKey): string {
  return `${encodeURIComponent(userId)}/${contextId}`;
}

function newest(turns: readonly LlmMessage[], maxTurns: number, maxCharacters: number): readonly LlmMessage[] {
  let characters = 0;
  let first = turns.length;
  while (first > 0 && turns.length - first < maxTurns) {
    characters += turns[first - 1]?.content.length ?? 0;
    if (characters > maxCharacters) break;
    first--;
  }
  return turns.slice(first);
}
