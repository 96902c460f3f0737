import type { ErrorName } from '../error-name.ts';
import type { ErrorContext, ErrorReply } from './format.ts';

interface GeminiError {
  readonly code: number;
  readonly status: string;
  readonly message: string;
  readonly details?: readonly unknown[];
}

/** A prompt that breaks the policy is no error here: the answer has a status of 200, a reason and no candidate. */
export function geminiErrors(name: ErrorName, context: ErrorContext): ErrorReply {
  if (name === 'content_policy') {
    const usageMetadata = { promptTokenCount: 1, totalTokenCount: 1 };
    const promptFeedback = { blockReason: 'PROHIBITED_CONTENT' };
    return { status: 200, body: { promptFeedback, usageMetadata, modelVersion: context.model } };
  }
  const { code, status, message, details } = tableOf(context)[name];
  return { status: code, body: { error: { code, message, status, ...(details !== undefined && { details }) } } };
}

function tableOf(context: ErrorContext): Readonly<Record<Exclude<ErrorName, 'content_policy'>, GeminiError>> {
  const invalid = { code: 400, status: 'INVALID_ARGUMENT' };
  return {
    invalid_request: { ...invalid, message: 'Invalid JSON payload received.' },
    authentication: {
      ...invalid,
      message: 'API key not valid. Please pass a valid API key.',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'API_KEY_INVALID',
          domain: 'googleapis.com',
          metadata: { service: 'generativelanguage.googleapis.com' },
        },
      ],
    },
    quota: exhausted(context, 'GenerateRequestsPerDayPerProjectPerModel-FreeTier'),
    permission: { code: 403, status: 'PERMISSION_DENIED', message: 'The caller does not have permission' },
    not_found: {
      code: 404,
      status: 'NOT_FOUND',
      message: `models/${context.model} is not found for API version v1beta, or is not supported for generateContent.`,
    },
    timeout: { code: 408, status: 'CANCELLED', message: 'The request timed out.' },
    conflict: { code: 409, status: 'ABORTED', message: 'The operation was aborted.' },
    too_large: { code: 413, status: 'INVALID_ARGUMENT', message: 'Request payload size exceeds the limit.' },
    context_length: {
      ...invalid,
      message: 'The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).',
    },
    rate_limit: exhausted(context, 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier'),
    server_error: {
      code: 500,
      status: 'INTERNAL',
      message: 'An internal error has occurred. Please retry.',
    },
    unavailable: { code: 503, status: 'UNAVAILABLE', message: 'The service is currently unavailable.' },
    overloaded: {
      code: 503,
      status: 'UNAVAILABLE',
      message: 'The model is overloaded. Please try again later.',
    },
    bad_gateway: { code: 502, status: 'UNAVAILABLE', message: 'Bad gateway.' },
    gateway_timeout: { code: 504, status: 'DEADLINE_EXCEEDED', message: 'The request timed out.' },
  };
}

function exhausted({ model, retryAfterMs }: ErrorContext, quotaId: string): GeminiError {
  const type = 'type.googleapis.com/google.rpc';
  return {
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: 'You exceeded your current quota, please check your plan and billing details.',
    details: [
      {
        '@type': `${type}.QuotaFailure`,
        violations: [
          {
            quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
            quotaId,
            quotaDimensions: { location: 'global', model },
            quotaValue: '15',
          },
        ],
      },
      ...(retryAfterMs === undefined ? [] : [{ '@type': `${type}.RetryInfo`, retryDelay: `${retryAfterMs / 1_000}s` }]),
    ],
  };
}
