/** What a model provider said in the body of its answer, wherever its client keeps it. */
import { asBag, type Bag, listAt, textAt } from './bag.ts';

export interface Answered {
  /** The provider's own words for it, the most particular first: a code, a type, Google's status. */
  readonly words: readonly string[];
  readonly message: string;
  /** Milliseconds that Google asks to wait. */
  readonly waitMs: number | undefined;
  /** Quotas of a whole day that are used up, as Google names them. */
  readonly perDay: boolean;
}

/**
 * OpenAI's and Anthropic's clients have the body as `error`, the AI SDK as `data` and as text; Google's only as the text of the message.
 */
export function answeredOf(error: Bag): Answered | undefined {
  const body = asBag(error['error']) ?? asBag(error['data']) ?? parse(error['responseBody']) ?? parse(error['message']);
  const detail = asBag(body?.['error']) ?? body;
  if (detail === undefined) return undefined;
  const details = listAt(detail, 'details').flatMap(bagsOf);
  const words = [
    textAt(detail, 'code'),
    ...details.map((one) => textAt(one, 'reason')),
    textAt(detail, 'type'),
    textAt(detail, 'status'),
  ];
  return {
    words: words.filter((word) => word !== undefined),
    message: textAt(detail, 'message') ?? '',
    waitMs: details.map(delayOf).find((delay) => delay !== undefined),
    perDay: details.some(isPerDay),
  };
}

function bagsOf(value: unknown): readonly Bag[] {
  const bag = asBag(value);
  return bag === undefined ? [] : [bag];
}

function parse(text: unknown): Bag | undefined {
  if (typeof text !== 'string') return undefined;
  const from = text.indexOf('{');
  // A message may begin with words; a body of another kind has no object.
  if (from < 0 || from > 100 || !text.trimEnd().endsWith('}')) return undefined;
  try {
    return asBag(JSON.parse(text.slice(from)));
  } catch {
    return undefined;
  }
}

/** @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto */
function delayOf(detail: Bag): number | undefined {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(textAt(detail, 'retryDelay') ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

function isPerDay(detail: Bag): boolean {
  return listAt(detail, 'violations').some((violation) => /PerDay/.test(textAt(asBag(violation), 'quotaId') ?? ''));
}
