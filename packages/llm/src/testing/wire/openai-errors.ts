import type { ErrorName } from '../error-name.ts';
import type { ErrorContext, ErrorReply } from './format.ts';

interface OpenaiError {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly param?: string;
  readonly code?: string;
}

/** @see https://platform.openai.com/docs/guides/error-codes */
export function openaiErrors(name: ErrorName, context: ErrorContext): ErrorReply {
  const { status, message, type, param = null, code = null } = table[name];
  return { status, body: { error: { message: fillIn(message, context), type, param, code } } };
}

function fillIn(message: string, { model, retryAfterMs = 20_000 }: ErrorContext): string {
  return message.replace('{model}', () => model).replace('{wait}', `${retryAfterMs / 1_000}s`);
}

const invalid = 'invalid_request_error';
const serverError = {
  status: 500,
  message: 'The server had an error while processing your request. Sorry about that!',
  type: 'server_error',
};

const table: Readonly<Record<ErrorName, OpenaiError>> = {
  invalid_request: { status: 400, message: 'Invalid value in the request.', type: invalid, param: 'messages' },
  authentication: {
    status: 401,
    message: 'Incorrect API key provided: sk-faulty. You can find your API key in your account settings.',
    type: invalid,
    code: 'invalid_api_key',
  },
  quota: {
    status: 429,
    message: 'You exceeded your current quota, please check your plan and billing details.',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  },
  permission: {
    status: 403,
    message: 'Country, region, or territory not supported',
    type: 'request_forbidden',
    code: 'unsupported_country_region_territory',
  },
  not_found: {
    status: 404,
    message: 'The model `{model}` does not exist or you do not have access to it.',
    type: invalid,
    code: 'model_not_found',
  },
  timeout: { status: 408, message: 'Request timed out.', type: 'timeout' },
  conflict: { status: 409, message: 'The resource is locked by another request.', type: invalid, code: 'conflict' },
  too_large: { status: 413, message: 'Request body too large.', type: invalid, code: 'request_too_large' },
  context_length: {
    status: 400,
    message:
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.",
    type: invalid,
    param: 'messages',
    code: 'context_length_exceeded',
  },
  content_policy: {
    status: 400,
    message: 'Your request was rejected as a result of our safety system.',
    type: invalid,
    code: 'content_policy_violation',
  },
  rate_limit: {
    status: 429,
    message:
      'Rate limit reached for {model} in organization org-faulty on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in {wait}.',
    type: 'requests',
    code: 'rate_limit_exceeded',
  },
  server_error: serverError,
  unavailable: {
    status: 503,
    message: 'The engine is currently overloaded, please try again later',
    type: 'server_error',
  },
  overloaded: {
    status: 503,
    message: 'Our servers are currently overloaded. Please try again later.',
    type: 'service_unavailable_error',
    code: 'server_is_overloaded',
  },
  bad_gateway: { ...serverError, status: 502 },
  gateway_timeout: { ...serverError, status: 504 },
};
