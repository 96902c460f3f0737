import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { alerts, dashboards, metricsIn } from '@tooling/monitoring';
import { areRequired, findPromtool, startAlertmanager, startRedis } from '@tooling/services';
import { isOf, type MonitoringResult, watchAgent } from '../src/monitoring/monitoring.ts';
import { type Question, questionsOf } from '../src/monitoring/questions.ts';

const promtool = await findPromtool();
const missing = await whatIsMissing();
if (missing !== undefined && areRequired()) throw new Error(missing);
if (missing !== undefined) process.stderr.write(`The drill of the monitoring is skipped: ${missing}\n`);

/** The questions that the load leaves without an answer, with why: exactly these. */
const unanswered: Readonly<Record<string, string>> = {
  'agent: Handshakes, signatures and DIDs p95: handshake {{role}}': 'no handshake: the agent speaks A2A here',
  'agent: Handshakes, signatures and DIDs p95: {{operation}}': 'no signature',
  'agent: Handshakes, signatures and DIDs p95: DID {{method}}': 'no DID',
  'llm: Calls of unknown price: {{provider}} {{model}}': 'both models have a price',
  'llm: Tool time p95: {{tool}}': 'the agent has no tools',
  'llm: MCP time p95: {{role}} {{method}}': 'the agent speaks no MCP',
  'limits: Would be denied: {{rule}}': 'no rule is in shadow mode',
  'limits: Reservations expired: {{rule}}': 'every reservation is settled',
  'limits: Queue wait p95: {{queue}} {{outcome}}': 'nothing waits',
  'recovery: Storage failures: {{store}} {{operation}}': 'the storage is in memory and does not fail',
  'recovery: Second cache tier: hits: {{cache}}': 'the agent has no second cache tier',
  'recovery: Wait for a connection p95: {{pool}}': 'nobody waits for a connection',
  'runtime: Values counted as other: {{metric}}': 'no metric has all its series',
  'alert SageCostUnknown: sage_llm_cost_unknown_total': 'both models have a price',
  'alert SageReservationsExpire: sage_limiter_leases_expired_total': 'every reservation is settled',
  'alert SageQueueSlow: sage_queue_wait_seconds_bucket': 'nothing waits',
  'alert SageMetricsOverflow: sage_metrics_overflow_total': 'no metric has all its series',
};

/** An alert asks for what is wrong, so no answer is good news. But what it reads has to be there. */
const questions: readonly Question[] = [
  ...dashboards.flatMap(({ name }) => questionsOf(name)),
  ...alerts.flatMap(({ name, expr }) =>
    metricsIn(expr).map((metric) => ({ place: `alert ${name}: ${metric}`, expr: `count(${metric})` })),
  ),
];

const wanted = [
  { alertname: 'SageModelErrorsHigh', provider: 'main', severity: 'page' },
  { alertname: 'SageBreakerOpen', dependency: 'llm.main', severity: 'page' },
];

(missing === undefined ? describe : describe.skip)(
  `a real Prometheus and Alertmanager watch the agent${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let result: MonitoringResult;
    beforeAll(async () => {
      result = await watchAgent({
        fastMotion: 1 / 30,
        questions,
        unanswered: new Set(Object.keys(unanswered)),
        wanted,
      });
    }, 600_000);

    test('OC2 DG9: every panel of every dashboard answers, and the series of every alert are there, but for what this load does not do', () => {
      expect([...result.unanswered].toSorted()).toEqual(Object.keys(unanswered).toSorted());
    });

    test('OC2: a provider that fails reaches the webhook as the alerts of this provider, which end when it answers again', () => {
      expect(result.before).toEqual([]);
      for (const labels of wanted) {
        expect(result.told.slice(0, result.toldInFault).find(isOf(labels))).toMatchObject({
          status: 'firing',
          annotations: { runbook_url: `docs/deployment/monitoring/runbook.md#${labels.alertname.toLowerCase()}` },
        });
        expect(result.told.findLast(isOf(labels))?.status).toBe('resolved');
      }
    });

    test('OC2: promtool finds nothing to complain of in what the agent exposes', async () => {
      expect(await checkMetrics(result.scrape)).toEqual({ code: 0, said: '' });
      expect(await checkMetrics('# HELP x_count\n# TYPE x_count counter\nx_count 1\n')).not.toEqual({
        code: 0,
        said: '',
      });
    });
  },
);

async function whatIsMissing(): Promise<string | undefined> {
  if ('skipped' in promtool) return promtool.skipped;
  const tries = await Promise.all([
    startAlertmanager({ config: '{"route":{"receiver":"a"},"receivers":[{"name":"a"}]}' }),
    startRedis(),
  ]);
  const reasons = tries.flatMap((one) => ('skipped' in one ? [one.skipped] : []));
  for (const one of tries) if (!('skipped' in one)) await one.stop();
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

async function checkMetrics(exposition: string): Promise<{ readonly code: unknown; readonly said: string }> {
  if ('skipped' in promtool) throw new Error(promtool.skipped);
  const checker = spawn(promtool.path, ['check', 'metrics'], { env: { ...promtool.env } });
  const said = Promise.all([text(checker.stdout), text(checker.stderr)]);
  checker.stdin.end(exposition);
  const [code] = (await once(checker, 'close')) as [unknown];
  return { code, said: (await said).join('') };
}
