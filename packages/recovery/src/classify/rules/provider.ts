import { wordIn } from '../bag.ts';
import type { Reason } from '../classification.ts';
import type { ErrorFacts } from '../facts.ts';

/** @see https://platform.openai.com/docs/guides/error-codes, https://docs.anthropic.com/en/api/errors, https://ai.google.dev/gemini-api/docs/troubleshooting */
const reasonByWord: Readonly<Record<string, Reason>> = {
  insufficient_quota: 'quota',
  billing_hard_limit_reached: 'quota',
  billing_not_active: 'quota',
  billing_error: 'quota',
  context_length_exceeded: 'context_length',
  content_filter: 'content_policy',
  content_policy_violation: 'content_policy',
  overloaded_error: 'overloaded',
  server_is_overloaded: 'overloaded',
  service_unavailable_error: 'overloaded',
  slow_down: 'overloaded',
  rate_limit_error: 'rate_limited',
  rate_limit_exceeded: 'rate_limited',
  authentication_error: 'auth',
  permission_error: 'auth',
  invalid_api_key: 'auth',
  API_KEY_INVALID: 'auth',
  not_found_error: 'not_found',
  model_not_found: 'not_found',
  timeout_error: 'timeout',
};

/** Words for a whole class of errors: the status says more, where there is one. */
const reasonByVagueWord: Readonly<Record<string, Reason>> = {
  invalid_request_error: 'invalid',
  INVALID_ARGUMENT: 'invalid',
  api_error: 'server',
  server_error: 'server',
  INTERNAL: 'server',
  UNAVAILABLE: 'overloaded',
  RESOURCE_EXHAUSTED: 'rate_limited',
};

const reasonByText: readonly (readonly [RegExp, Reason])[] = [
  [/prompt is too long|maximum context length|maximum number of tokens allowed/i, 'context_length'],
  [/credit balance is too low/i, 'quota'],
  [/content filtering policy/i, 'content_policy'],
];

/** What a model provider's own words mean. */
export function byProvider({ code, status, message, answered }: ErrorFacts): Reason | undefined {
  if (answered?.perDay === true) return 'quota';
  const words = [code, ...(answered?.words ?? [])];
  return find(words, reasonByWord) ?? byText(answered?.message || message, status);
}

/** The same, where not even the status said anything. */
export function byVagueWord({ code, answered }: ErrorFacts): Reason | undefined {
  return find([code, ...(answered?.words ?? [])], reasonByVagueWord);
}

function find(words: readonly (string | undefined)[], table: Readonly<Record<string, Reason>>): Reason | undefined {
  return words.map((word) => wordIn(table, word)).find((reason) => reason !== undefined);
}

/** Some errors have no word of their own; their status is that of any bad request, or they have none. */
function byText(message: string, status: number | undefined): Reason | undefined {
  if (status !== undefined && status !== 400 && status !== 413) return undefined;
  return reasonByText.find(([pattern]) => pattern.test(message))?.[1];
}
