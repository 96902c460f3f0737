import { type Alert, happened } from '../alert.ts';

const letters = 'sage_dlq_operations_total';
// Instances that share a store say the same of it.
const kept = (when: string): string => `sum by (queue) (max by (queue, state) (sage_dlq_letters${when}))`;

/** What recovery could not hide, or hides for too long. */
export const recoveryAlerts: readonly Alert[] = [
  {
    name: 'SageCriticalError',
    severity: 'page',
    expr: `sum by (source, reason) ${happened('sage_critical_errors_total', '5m')}`,
    for: '0m',
    summary: 'Critical error of {{ $labels.source }}: {{ $labels.reason }}.',
    description: 'Something failed that does not mend itself.',
    runbook: {
      means:
        'The agent says that somebody must look: no model answers, storage is degraded, a key is refused, an account cannot be settled.',
      look: [
        'The line of log of the event `error.critical` at that time: its message and its trace.',
        '`reason`: `provider_down` no target of the fallback chain answered; `degraded` the storage fell back; `settle_failed` money was spent that no limit counts; `put_failed` a dead letter is lost; `unreachable` Redis or PostgreSQL was away when the agent started.',
      ],
      act: ['Mend what the line names. The alert ends five minutes after the last one.'],
    },
    fires: {
      series: { 'sage_critical_errors_total{source="messages",reason="provider_down"}': '_x5 1x4' },
      at: '6m',
      labels: { source: 'messages', reason: 'provider_down' },
    },
    healthy: { 'sage_critical_errors_total{source="messages",reason="provider_down"}': '1x30' },
  },
  {
    name: 'SageBreakerOpen',
    severity: 'page',
    expr: 'max by (dependency) (max_over_time(sage_breaker_state[2m])) >= 2',
    for: '1m',
    summary: 'The breaker of {{ $labels.dependency }} is open.',
    description: 'The dependency failed so often that it is given a rest, again and again.',
    runbook: {
      means: 'Calls of it fail at once, or a fallback answers.',
      look: [
        'Dashboard "SAGE recovery", "Breaker changes": since when, and whether it flaps.',
        'The errors of the dependency; of a model, [SageModelErrorsHigh](#sagemodelerrorshigh).',
      ],
      act: [
        'Mend the dependency: the breaker closes by itself, slowly at first.',
        'State 3 was forced by somebody: ask who.',
      ],
    },
    fires: {
      series: { 'sage_breaker_state{dependency="llm.p"}': '0x3 2x10' },
      at: '8m',
      labels: { dependency: 'llm.p' },
    },
    healthy: { 'sage_breaker_state{dependency="llm.p"}': '0x10 1x2 0x20' },
  },
  {
    name: 'SageRetryBudgetSpent',
    severity: 'ticket',
    expr: 'sum by (dependency) (rate(sage_retry_budget_refused_total[5m])) > 0.1',
    for: '5m',
    summary: 'So many calls of {{ $labels.dependency }} fail that they are not tried again.',
    description: 'The budget of retries is spent; more tries would only add load.',
    runbook: {
      means: 'Failures reach users that a retry hid before.',
      look: ['Dashboard "SAGE recovery", "Tries by outcome".'],
      act: ['Mend the dependency. A larger budget makes an outage worse.'],
    },
    fires: {
      series: { 'sage_retry_budget_refused_total{dependency="llm.p"}': '0+60x20' },
      at: '12m',
      labels: { dependency: 'llm.p' },
    },
    healthy: { 'sage_retry_budget_refused_total{dependency="llm.p"}': '2x30' },
  },
  {
    name: 'SageFallbackInUse',
    severity: 'ticket',
    expr: 'sum by (chain, from) (rate(sage_fallbacks_total[5m])) > 0',
    for: '10m',
    summary: '{{ $labels.from }} has been replaced by a fallback for ten minutes.',
    description: 'Users get answers, but not of the first choice.',
    runbook: {
      means: 'Another model answers, or an earlier answer is repeated. It may be worse or dearer.',
      look: ['Dashboard "SAGE recovery", "Fallbacks used": to what, and why.'],
      act: ['Mend the first choice, or change the order of the chain.'],
    },
    fires: {
      series: { 'sage_fallbacks_total{chain="messages",from="p/m",to="q/n",reason="provider_down"}': '0+5x30' },
      at: '20m',
      labels: { chain: 'messages', from: 'p/m' },
    },
    healthy: { 'sage_fallbacks_total{chain="messages",from="p/m",to="q/n",reason="provider_down"}': '3x30' },
  },
  {
    name: 'SageDeadLetters',
    severity: 'ticket',
    expr: `sum by (queue) ${happened(`${letters}{operation="put"}`, '15m')}`,
    for: '0m',
    summary: 'Messages were put aside in {{ $labels.queue }}.',
    description: 'They failed for good and wait for another try.',
    runbook: {
      means: 'Users got an error; their messages are kept.',
      look: [
        'The letters: `sage-dlq ls` and `sage-dlq show` name the error of each.',
        'Dashboard "SAGE recovery", "Dead letters".',
      ],
      act: [
        'Mend the cause, then redrive: `sage-dlq redrive --to URL`, or `recovery.dlq.auto_retry`.',
        'Drop what nobody needs any more.',
      ],
    },
    fires: {
      series: { 'sage_dlq_operations_total{queue="messages",operation="put",outcome="ok"}': '_x5 1x10' },
      at: '8m',
      labels: { queue: 'messages' },
    },
    healthy: { 'sage_dlq_operations_total{queue="messages",operation="put",outcome="ok"}': '2x40' },
    healthyAt: 40,
  },
  {
    name: 'SageDeadLettersOld',
    severity: 'ticket',
    expr: 'max by (queue) (sage_dlq_oldest_age_seconds) > 86400',
    for: '15m',
    summary: 'A message has been in {{ $labels.queue }} for more than a day.',
    description: 'It was put aside, and neither a redrive nor a person dealt with it.',
    runbook: {
      means:
        'Somebody waits for an answer that does not come by itself. When its retention is over, the message is gone.',
      look: [
        'Dashboard "SAGE recovery", "Letters kept": what is parked failed again each time it was tried.',
        'The oldest: `sage-dlq ls`, then `sage-dlq show` for its error.',
      ],
      act: [
        'Mend the cause, then `sage-dlq release` what is parked and redrive.',
        'Drop what nobody needs any more: `sage-dlq purge`.',
      ],
    },
    fires: {
      series: { 'sage_dlq_oldest_age_seconds{queue="messages"}': '86300+60x30' },
      at: '25m',
      labels: { queue: 'messages' },
    },
    healthy: { 'sage_dlq_oldest_age_seconds{queue="messages"}': '80000+60x30' },
  },
  {
    name: 'SageDeadLettersGrowing',
    severity: 'ticket',
    expr: `${kept('')} - ${kept(' offset 1h')} > 20`,
    for: '15m',
    summary: 'More messages are put aside in {{ $labels.queue }} than dealt with.',
    description: 'There are at least twenty more than an hour ago.',
    runbook: {
      means: 'Messages fail faster than they are tried again, or a redrive stopped because its tries fail.',
      look: [
        'The report of the letters, `sage-dlq report`: mostly it is one cause.',
        'Dashboard "SAGE recovery", "Dead letters": whether tries of what is kept succeed.',
      ],
      act: [
        'Mend the cause first. Then redrive, at a higher `recovery.dlq.retry_rate` where the target bears it.',
        'Watch the room: at `recovery.dlq.max_size` new messages are lost ([SageDeadLetterLost](#sagedeadletterlost)).',
      ],
    },
    fires: {
      series: { 'sage_dlq_letters{queue="messages",state="dead"}': '0+1x120' },
      at: '100m',
      labels: { queue: 'messages' },
    },
    healthy: { 'sage_dlq_letters{queue="messages",state="dead"}': '0x60 15x60' },
    healthyAt: 100,
  },
  {
    name: 'SageDeadLettersMany',
    severity: 'page',
    expr:
      `sum(rate(${letters}{operation="put"}[10m])) / sum(rate(sage_agent_requests_total[10m])) > 0.05` +
      ' and sum(increase(sage_agent_requests_total[10m])) > 20',
    for: '5m',
    summary: 'More than one request in twenty ends as a dead letter.',
    description: 'Recovery does not help against what fails.',
    runbook: {
      means: 'As [SageDeadLetters](#sagedeadletters), for many users.',
      look: ['The report of the letters, `sage-dlq report`: mostly it is one cause.'],
      act: ['Mend the cause first: a redrive before that only fails again, and stops by itself.'],
    },
    fires: {
      series: {
        'sage_dlq_operations_total{queue="messages",operation="put",outcome="ok"}': '0+5x30',
        'sage_agent_requests_total{outcome="error"}': '0+30x30',
      },
      at: '20m',
    },
    healthy: {
      'sage_dlq_operations_total{queue="messages",operation="put",outcome="ok"}': '0+1x30',
      'sage_agent_requests_total{outcome="ok"}': '0+100x30',
    },
  },
  {
    name: 'SageDeadLetterLost',
    severity: 'page',
    expr: `sum by (queue) ${happened(`${letters}{operation="put",outcome!="ok"}`, '15m')}`,
    for: '0m',
    summary: 'A message could not be put aside in {{ $labels.queue }}.',
    description: 'It failed, and its dead letter was not kept: it is lost.',
    runbook: {
      means: 'A message of a user is gone, but for the logs.',
      look: [
        'Whether the store of dead letters is full (`recovery.dlq.max_size`) or away.',
        'The line of log of the event `error.critical` of the source `dlq`.',
      ],
      act: ['Make room: redrive or drop letters, or `when_full: drop-oldest`.', 'Bring the store back.'],
    },
    fires: {
      series: { 'sage_dlq_operations_total{queue="messages",operation="put",outcome="error"}': '_x5 1x10' },
      at: '8m',
      labels: { queue: 'messages' },
    },
    healthy: { 'sage_dlq_operations_total{queue="messages",operation="put",outcome="ok"}': '0+5x30' },
  },
  {
    name: 'SageTimeouts',
    severity: 'ticket',
    expr: 'sum by (operation) (rate(sage_timeouts_total[5m])) > 0.1',
    for: '5m',
    summary: 'Timeouts keep ending {{ $labels.operation }}.',
    description: 'More than one in ten seconds.',
    runbook: {
      means: 'Something hangs, or its time limit is shorter than it needs.',
      look: ['Dashboards of the operation: its time before the timeouts began.'],
      act: ['Mend what hangs; raise the time limit only if it was always too short.'],
    },
    fires: {
      series: { 'sage_timeouts_total{operation="llm.call"}': '0+30x20' },
      at: '12m',
      labels: { operation: 'llm.call' },
    },
    healthy: { 'sage_timeouts_total{operation="llm.call"}': '0+1x30' },
  },
];
