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
});
