import { defineErrors } from '@sage-adk/core';

export const storageErrors = defineErrors('STORAGE', {
  NOT_JSON: { category: 'permanent', status: 500, message: 'The value of the key "{key}" is no JSON value.' },
  FULL: {
    category: 'transient',
    status: 503,
    message: 'The memory store "{namespace}" is full: it may hold {maxEntries} entries and {maxBytes} bytes.',
  },
  TOO_LARGE: {
    category: 'permanent',
    status: 413,
    message: 'The entry "{key}" has {bytes} bytes; the memory store "{namespace}" may hold {maxBytes} in all.',
  },
  READ_ONLY: {
    category: 'transient',
    status: 503,
    message: 'The primary store is down and nothing else may take writes; the key "{key}" was not written.',
  },
  UNKNOWN: {
    category: 'transient',
    status: 503,
    message: 'The primary store is down and nothing else knows of {what}; it may exist.',
  },
  CONFLICT: {
    category: 'permanent',
    status: 409,
    message: 'The key "{key}" was written in the primary store while it was written in the journal; the primary wins.',
  },
});
