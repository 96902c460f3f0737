/** What rows of several tables have in common. */

export const outcome = ['ok', 'error', 'denied', 'cancelled', 'timeout'] as const;

/** From a signature to a call over the network with all its tries. */
export const operationSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;
