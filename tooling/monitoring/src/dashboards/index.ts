import type { DashboardSpec } from '../dashboard.ts';
import { agentDashboard } from './agent.ts';
import { limitsDashboard } from './limits.ts';
import { llmDashboard } from './llm.ts';
import { recoveryDashboard } from './recovery.ts';
import { runtimeDashboard } from './runtime.ts';

/** All dashboards, in the order in which one looks at them. */
export const dashboards: readonly DashboardSpec[] = [
  agentDashboard,
  llmDashboard,
  limitsDashboard,
  recoveryDashboard,
  runtimeDashboard,
];
