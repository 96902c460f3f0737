import { defineErrors } from '@sage-adk/core';

export const errors = defineErrors('METRICS_TEXTFILE', {
  NOT_WRITTEN: {
    category: 'transient',
    status: 500,
    message: 'The metrics could not be written to {path}: {reason}. The file has what it had before.',
  },
});
