/** Reads the parts of a stream of the AI SDK. */
import type { AnswerReader } from '../body/answer-reader.ts';
import type { AnswerFacts } from '../providers/api.ts';
import { memberOf, textOf } from '../providers/usage.ts';
import { finishReasonOf, usageOf } from './answer-facts.ts';
import type { AiPart } from './shapes.ts';

export class PartReader<Part extends AiPart> implements AnswerReader<Part> {
  #finish: AiPart | undefined;
  #model: string | undefined;
  #hasDeltas = false;
  whole = false;
  contents = 0;
  contentBytes = 0;
  problem: StreamProblem | undefined;

  get finished(): boolean {
    return this.whole;
  }

  write(part: Part): Part {
    switch (part.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'tool-input-delta':
        this.#hasDeltas = true;
        this.#add(textOf(part, 'delta'));
        break;
      case 'tool-call':
        // Its input came in pieces already, where there were any.
        if (!this.#hasDeltas) this.#add(textOf(part, 'input') ?? '{}');
        break;
      case 'file':
      case 'reasoning-file':
        this.contents++;
        break;
      case 'response-metadata':
        this.#model = textOf(part, 'modelId') ?? this.#model;
        break;
      case 'error':
        this.problem ??= { error: memberOf(part, 'error') };
        break;
      case 'finish':
        this.#finish = part;
        this.whole = !isCutShort(part);
        break;
      default:
    }
    return part;
  }

  end(): undefined {}

  isMalformed(): boolean {
    return false;
  }

  facts(): AnswerFacts {
    return {
      usage: usageOf(memberOf(this.#finish, 'usage')),
      model: this.#model,
      finishReason: finishReasonOf(memberOf(this.#finish, 'finishReason')),
    };
  }

  #add(text: string | undefined): void {
    if (text === undefined || text === '') return;
    this.contents++;
    this.contentBytes += Buffer.byteLength(text);
  }
}

/** An error that came as a part of a stream, whatever it is. */
export interface StreamProblem {
  readonly error: unknown;
}

/** A provider of the SDK says `finish` as well where its stream just ended. */
function isCutShort(part: AiPart): boolean {
  return textOf(memberOf(part, 'finishReason'), 'unified') === 'interrupted';
}
