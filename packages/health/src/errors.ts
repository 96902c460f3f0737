import { defineErrors } from '@sage-adk/core';

export const errors = defineErrors('HEALTH', {
  LISTEN_FAILED: {
    category: 'permanent',
    status: 500,
    message: 'The probes cannot listen on {host}:{port}: {reason}. Choose another port.',
  },
  NO_THREAD: {
    category: 'permanent',
    status: 500,
    message: 'There can be no thread for the probes: {reason}. The main thread can serve them.',
  },
  PROBE_REFUSED: { category: 'transient', status: 503, message: 'GET {path} of the provider answered {status}.' },
  NOT_CONNECTED: { category: 'transient', status: 503, message: 'The client of {name} is not connected.' },
  NOT_LISTENING: { category: 'transient', status: 503, message: 'The server of {name} does not listen.' },
  CLOSED: { category: 'permanent', status: 500, message: 'The health is closed and takes no more checks.' },
  DUPLICATE_CHECK: {
    category: 'permanent',
    status: 500,
    message: 'There is a health check called "{name}" already; give each its own name.',
  },
});
