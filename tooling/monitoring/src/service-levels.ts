/** The service levels that the reference agent is held to. */
import { defineSlo, modelAnswers, requestsAvailable, requestsWithin, type Slo } from '@sage-adk/metrics/slo';
import type { Runbook } from './alert.ts';
import { runbookUrl } from './runbook-url.ts';

export interface ServiceLevel {
  readonly slo: Slo;
  readonly runbook: Runbook;
}

export const serviceLevels: readonly ServiceLevel[] = [
  {
    slo: defineSlo({
      name: 'agent_availability',
      objective: 0.999,
      indicator: requestsAvailable,
      runbookUrl: runbookUrl('agent_availability'),
    }),
    runbook: {
      means: 'In thirty days 99.9 % of the requests have to end well. At this pace they will not.',
      look: [
        'Dashboard "SAGE agent": "Errors by code", and since when.',
        '[SageRequestErrorsHigh](#sagerequesterrorshigh), [SageModelErrorsHigh](#sagemodelerrorshigh), [SageBreakerOpen](#sagebreakeropen).',
      ],
      act: ['What those alerts say.', 'No release until the budget is back, if it is spent.'],
    },
  },
  {
    slo: defineSlo({
      name: 'agent_latency',
      objective: 0.95,
      indicator: requestsWithin(10.24),
      runbookUrl: runbookUrl('agent_latency'),
    }),
    runbook: {
      means: 'In thirty days 95 % of the requests that end well have to do so within 10.24 seconds.',
      look: [
        '[SageRequestsSlow](#sagerequestsslow), [SageModelSlow](#sagemodelslow), [SageQueueSlow](#sagequeueslow).',
      ],
      act: ['What those alerts say.', 'Another bound in `tooling/monitoring`, if your answers are longer by nature.'],
    },
  },
  {
    slo: defineSlo({
      name: 'model_answers',
      objective: 0.99,
      indicator: modelAnswers,
      runbookUrl: runbookUrl('model_answers'),
    }),
    runbook: {
      means: 'In thirty days 99 % of the calls of models have to give an answer, with all their tries.',
      look: ['[SageModelErrorsHigh](#sagemodelerrorshigh) names the provider.'],
      act: ['A fallback chain, or another provider as the first choice.'],
    },
  },
];
