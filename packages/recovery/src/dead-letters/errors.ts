import { defineErrors } from '@sage-adk/core';

export const deadLetterErrors = defineErrors('DLQ', {
  FULL: {
    category: 'transient',
    status: 503,
    message: 'The dead-letter queue "{queue}" is full; the message was not kept. Redrive or purge what is in it.',
  },
  TOO_LARGE: {
    category: 'permanent',
    status: 413,
    message:
      'A message from "{source}" has {bytes} bytes; the dead-letter queue "{queue}" keeps messages of up to {maxBytes}.',
  },
  NOT_JSON: {
    category: 'permanent',
    status: 500,
    message: 'The payload, headers or error of a message from "{source}" is no JSON value.',
  },
});
