import type { ErrorName } from '../error-name.ts';
import { type ErrorContext, type ErrorReply, idOf } from './format.ts';

type AnthropicError = readonly [status: number, type: string, message: string];

/** @see https://docs.anthropic.com/en/api/errors */
export function anthropicErrors(name: ErrorName, context: ErrorContext): ErrorReply {
  const [status, type, text] = table[name];
  const message = text.replace('{model}', () => context.model);
  return { status, body: { type: 'error', error: { type, message }, request_id: idOf('req_', context.serial) } };
}

const invalid = 'invalid_request_error';

const table: Readonly<Record<ErrorName, AnthropicError>> = {
  invalid_request: [400, invalid, 'messages: at least one message is required'],
  authentication: [401, 'authentication_error', 'invalid x-api-key'],
  quota: [
    400,
    invalid,
    'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  ],
  permission: [403, 'permission_error', 'Your API key does not have permission to use the specified resource.'],
  not_found: [404, 'not_found_error', 'model: {model}'],
  timeout: [408, 'timeout_error', 'Request timed out'],
  conflict: [409, invalid, 'The resource is locked by another request.'],
  too_large: [413, 'request_too_large', 'Request exceeds the maximum size'],
  context_length: [400, invalid, 'prompt is too long: 200001 tokens > 200000 maximum'],
  content_policy: [400, invalid, 'Output blocked by content filtering policy'],
  rate_limit: [
    429,
    'rate_limit_error',
    "This request would exceed your organization's rate limit of 50 requests per minute.",
  ],
  server_error: [500, 'api_error', 'Internal server error'],
  unavailable: [503, 'api_error', 'Service temporarily unavailable'],
  overloaded: [529, 'overloaded_error', 'Overloaded'],
  bad_gateway: [502, 'api_error', 'Bad gateway'],
  gateway_timeout: [504, 'timeout_error', 'The request timed out'],
};
