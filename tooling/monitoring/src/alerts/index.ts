import type { Alert } from '../alert.ts';
import { limitAlerts } from './limits.ts';
import { modelAlerts } from './models.ts';
import { recoveryAlerts } from './recovery.ts';
import { requestAlerts } from './requests.ts';
import { runtimeAlerts } from './runtime.ts';

/** All alerts but those of service levels, by what they watch. */
export const alertGroups = {
  requests: requestAlerts,
  models: modelAlerts,
  limits: limitAlerts,
  recovery: recoveryAlerts,
  runtime: runtimeAlerts,
} as const;

export const alerts: readonly Alert[] = Object.values(alertGroups).flat();
