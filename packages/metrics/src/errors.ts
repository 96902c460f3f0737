import { defineErrors } from '@sage-adk/core';

export const errors = defineErrors('METRICS', {
  NAME_TAKEN: {
    category: 'permanent',
    status: 500,
    message: 'The registry already has a metric named {name}. Use another name, or another registry.',
  },
  CLOSED: { category: 'permanent', status: 500, message: 'These metrics are closed. Create new ones.' },
  PORT_IN_USE: {
    category: 'permanent',
    status: 500,
    message: 'Port {port} of {host} is in use. Set another port for metrics.',
  },
  LISTEN_FAILED: { category: 'permanent', status: 500, message: 'Metrics cannot listen on {host}:{port}: {reason}.' },
});
