import { defineErrors } from '@sage-adk/core';

/** Errors of the agent itself. What a client may read of them is the message; it holds nothing internal. */
export const errors = defineErrors('AGENT', {
  CONFIG_INVALID: { category: 'permanent', status: 500, message: '{problems}' },
  PORT_IN_USE: { category: 'permanent', status: 500, message: 'Port {port} of {host} is in use. Set another {key}.' },
  LISTEN_FAILED: {
    category: 'permanent',
    status: 500,
    message: 'Cannot listen on {host}:{port} ({reason}). Check {key}.',
  },
  SECRET_UNREADABLE: { category: 'permanent', status: 500, message: '{key}: {file} cannot be read ({reason}).' },
  KEY_MISSING: {
    category: 'permanent',
    status: 500,
    message: 'There is no key. Set {key}, {key}_file or the variable {variable}.',
  },
  STORAGE_UNREACHABLE: {
    category: 'transient',
    status: 503,
    message: '{server} at {place} cannot be used ({reason}). Check {key}.',
  },
  A2A_BROKEN: {
    category: 'transient',
    status: 503,
    message: 'A2A does not answer as it should: asked for a task that does not exist, it said {answer}.',
  },
  PRICE_UNKNOWN: {
    category: 'permanent',
    status: 500,
    message:
      'What "{model}" of "{provider}" costs is unknown, so rate_limit.max_cost_per_hour cannot hold. Set llm.price, or the price of the model under llm.providers, or llm.unknown_price to allow.',
  },
  LIMITED: { category: 'transient', outcome: 'denied', status: 429, message: 'A limit is reached. Try again later.' },
  UNAUTHORIZED: {
    category: 'permanent',
    outcome: 'denied',
    status: 401,
    message: 'A valid API key is needed, as "Authorization: Bearer KEY" or "x-api-key: KEY".',
  },
  NOT_FOUND: { category: 'permanent', status: 404, message: 'There is nothing at {path}.' },
  METHOD_NOT_ALLOWED: { category: 'permanent', status: 405, message: '{method} is not possible here; use {allowed}.' },
  BODY_TOO_LARGE: { category: 'permanent', status: 413, message: 'The body is larger than {limit} bytes.' },
  UNSUPPORTED_TYPE: { category: 'permanent', status: 415, message: 'The content type must be {expected}, not {type}.' },
  MALFORMED_JSON: { category: 'permanent', status: 400, message: 'The body is not valid JSON.' },
  INVALID_MESSAGE: { category: 'permanent', status: 400, message: '{problem}' },
  INVALID_QUERY: { category: 'permanent', status: 400, message: '{problem}' },
  DEADLINE: {
    category: 'transient',
    outcome: 'timeout',
    status: 504,
    message: 'The answer took longer than {timeoutMs} ms.',
  },
  INTERNAL_ERROR: {
    category: 'permanent',
    status: 500,
    message:
      'Something went wrong. Try again later; if it stays so, tell whoever runs the agent the request id {requestId}.',
  },
  CLIENT_GONE: { category: 'cancelled', status: 499, message: 'The client closed the connection.' },
  TASK_CANCELLED: { category: 'cancelled', status: 499, message: 'The task was cancelled.' },
  STOPPING: { category: 'transient', status: 503, message: 'The agent is stopping.' },
  MODEL_FAILED: { category: 'transient', status: 502, message: 'The model could not answer. Try again later.' },
  MODEL_BUSY: {
    category: 'transient',
    status: 503,
    message: 'The model has too much to do right now. Try again in a moment.',
  },
  MODEL_RESTS: {
    category: 'transient',
    status: 503,
    message: 'The model had trouble and is given a rest. Try again in a minute.',
  },
  MODEL_SLOW: {
    category: 'transient',
    status: 504,
    message: 'The model took too long to answer. Try again, or ask for less.',
  },
  MODEL_NOT_SET_UP: {
    category: 'permanent',
    status: 502,
    message: 'The agent cannot use its model: its key, its credit or the name of the model. Tell whoever runs it.',
  },
  TOO_LONG: {
    category: 'permanent',
    status: 413,
    message: 'The conversation is too long for the model. Begin a new one, or send a shorter message.',
  },
  DECLINED: {
    category: 'permanent',
    status: 422,
    message: 'The model declined to answer this. Say it in other words.',
  },
  ANSWER_CUT: {
    category: 'transient',
    status: 502,
    message: 'The answer broke off; what came of it is not all of it. Ask again for a whole one.',
  },
  STORE_FULL: {
    category: 'transient',
    status: 503,
    message: 'A value of {bytes} bytes does not fit the store of {maxBytes} bytes.',
  },
});
