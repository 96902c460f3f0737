import { randomUUID } from 'node:crypto';
import { AgentEvent, type ExecutionEventBus, type RequestContext } from '@a2a-js/sdk/server';
import { textPart } from './parts.ts';

/** Where pieces are gathered, one goes out after so many milliseconds or characters. */
const gatherMs = 50;
const gatherLength = 4_096;

/**
 * The answer of a task: one artifact that grows piece by piece.
 *
 * The SDK copies and stores the task for each piece, so only the first ones go out as they come, and later ones are gathered.
 */
export class AnswerArtifact {
  readonly #call: RequestContext;
  readonly #bus: ExecutionEventBus;
  readonly #id = randomUUID();
  #oneByOne: number;
  #append = false;
  #held = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param oneByOne how many pieces go out as they come. */
  constructor(call: RequestContext, bus: ExecutionEventBus, oneByOne: number) {
    this.#call = call;
    this.#bus = bus;
    this.#oneByOne = oneByOne;
  }

  add(text: string): void {
    this.#held += text;
    if (this.#oneByOne-- > 0 || this.#held.length >= gatherLength) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  /** What is added next takes the place of what was told so far. */
  restart(): void {
    this.#held = '';
    this.#append = false;
  }

  /** Tells what was gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#held === '') return;
    const { taskId, contextId } = this.#call;
    const artifact = {
      artifactId: this.#id,
      name: 'answer',
      description: '',
      parts: [textPart(this.#held)],
      metadata: undefined,
      extensions: [],
    };
    this.#bus.publish(
      AgentEvent.artifactUpdate({
        taskId,
        contextId,
        artifact,
        append: this.#append,
        lastChunk: false,
        metadata: undefined,
      }),
    );
    this.#held = '';
    this.#append = true;
  }
}
