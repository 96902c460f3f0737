import { emit, type Entry, type KeyValueStore, type LlmMessage } from '@sage-adk/core';

/** What was said in each conversation. */
export interface Conversations {
  /** The turns so far, oldest first; none where the conversation is new or was forgotten. */
  read(conversation: ConversationKey): Promise<readonly LlmMessage[]>;
  /** Adds `turns` to the end and drops the oldest that no longer fit, never those of the last exchange. What other processes keep it from adding is told as `error.critical`. */
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
  /** Turns that are kept of each; more where the last exchange alone has more. @default 40 */
  readonly maxTurns?: number;
  /** Characters that are kept of each; the same. @default 16_384 */
  readonly maxCharacters?: number;
}

/** Each is lost to another process that wrote to the same conversation meanwhile. */
const mostTries = 5;

/** Milliseconds that the store gets for the turns of one answer; those of the next one wait for it. */
const storeMs = 10_000;

/** Conversations in any store that fits the contract. */
export function createConversations({
  store,
  ttlMs = 3_600_000,
  maxTurns = 40,
  maxCharacters = 16_384,
}: ConversationsOptions): Conversations {
  const appends = new Map<string, Promise<void>>();
  const add = async (key: string, turns: readonly LlmMessage[]): Promise<void> => {
    const signal = AbortSignal.timeout(storeMs);
    for (let tries = 1; tries <= mostTries; tries++) {
      const entry = await store.get(key, { signal });
      const kept = newest([...turnsOf(entry), ...turns], maxTurns, maxCharacters);
      const ifVersion = entry?.version ?? null;
      if ((await store.set(key, kept, { ttlMs, ifVersion, signal })) !== undefined) return;
    }
    emit('error.critical', {
      source: 'conversation',
      reason: 'turns_lost',
      message: `Not written in ${mostTries} tries.`,
    });
  };
  return {
    async read(conversation) {
      return turnsOf(await store.get(keyOf(conversation)));
    },
    async append(conversation, turns) {
      const key = keyOf(conversation);
      // Many answers of one conversation may end at once; none may take another's turns away.
      const added = (appends.get(key) ?? Promise.resolve()).then(() => add(key, turns));
      const over = added.catch(() => {});
      appends.set(key, over);
      await over;
      if (appends.get(key) === over) appends.delete(key);
      return added;
    },
  };
}

function turnsOf(entry: Entry | undefined): readonly LlmMessage[] {
  return (entry?.value as readonly LlmMessage[] | undefined) ?? [];
}

function keyOf({ userId, contextId }: ConversationKey): string {
  return `${encodeURIComponent(userId)}/${contextId}`;
}

/** As many of the last exchanges as fit, each from its user's message on. The last one stays whatever its length: it was said just now. */
function newest(turns: readonly LlmMessage[], maxTurns: number, maxCharacters: number): readonly LlmMessage[] {
  let characters = 0;
  let first = turns.length;
  for (let index = turns.length - 1; index >= 0; index--) {
    characters += turns[index]?.content.length ?? 0;
    const fits = turns.length - index <= maxTurns && characters <= maxCharacters;
    if (!fits && first < turns.length) break;
    // Providers want a conversation to begin with its user.
    if (turns[index]?.role === 'user') first = index;
  }
  return turns.slice(first);
}
