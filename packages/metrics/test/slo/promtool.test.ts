/** The rules as Prometheus's own tool sees them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  percentileRules,
  sloRules,
  sloRuleTests,
  defineSlo,
  modelAnswers,
  requestsAvailable,
  requestsWithin,
} from '../../src/slo/index.ts';
import { findPromtool } from '../support/promtool.ts';

const { promtool, skipped } = await findPromtool();
const folder = mkdtempSync(join(tmpdir(), 'sage-slo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const run = async (...args: readonly string[]): Promise<string> => {
  try {
    return (
      await promisify(execFile)(promtool?.path ?? '', args, { cwd: folder, env: promtool?.env, timeout: 100_000 })
    ).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`promtool ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
};

const slos = [
  defineSlo({
    name: 'agent_availability',
    objective: 0.999,
    indicator: requestsAvailable,
    runbookUrl: 'https://example.org/runbook',
  }),
  defineSlo({ name: 'agent_latency', objective: 0.95, windowDays: 28, indicator: requestsWithin(5.12) }),
  defineSlo({
    name: 'whole_bound',
    objective: 0.99,
    windowDays: 7,
    indicator: { type: 'latency', histogram: { metric: 'wait_seconds' }, withinSeconds: 5 },
  }),
  defineSlo({ name: 'model_answers', objective: 0.9, indicator: modelAnswers }),
  defineSlo({
    name: 'answers_rated',
    objective: 0.8,
    windowDays: 14,
    indicator: {
      type: 'quality',
      total: { metric: 'answers_total' },
      good: { metric: 'ratings_total', where: { rating: 'good "enough"|\\' } },
    },
  }),
];

(promtool === undefined ? describe.skip : describe)(
  `promtool${skipped === undefined ? '' : ` (skipped: ${skipped})`}`,
  () => {
    test('OC4: accepts the rules of every kind of objective', async () => {
      expect(await run('check', 'rules', write('check.yml', sloRules(slos)))).toMatch(/SUCCESS: \d+ rules found/);
    });

    test('OC4: what burns fast pages and ends, what burns slowly opens a ticket, what is good alerts nobody', async () => {
      // promtool makes a database for each test: one objective of each kind.
      const some = [0, 2, 4].flatMap((i) => slos.slice(i, i + 1));
      write('rules.yml', sloRules(some));
      expect(await run('test', 'rules', write('tests.yml', sloRuleTests(some)))).toContain('SUCCESS');
    });

    test('OC4: the tests fail where a rule is wrong', async () => {
      const one = slos.slice(0, 1);
      write('wrong.yml', sloRules(one).replaceAll('> 0.006', '> 0.96').replaceAll('> 0.0144', '> 0.96'));
      const tests = write('wrong-tests.yml', sloRuleTests(one, { ruleFile: 'wrong.yml' }));
      await expect(run('test', 'rules', tests)).rejects.toThrow(/AgentAvailabilityBurnsFast/);
    });

    test('OM4: the recorded p50, p95 and p99 are those of the buckets, of each part and of all', async () => {
      const rules = percentileRules();
      expect(await run('check', 'rules', write('percentiles.yml', rules))).toContain('24 rules found');
      const bucket = (protocol: string, le: string, values: string) => ({
        series: `sage_agent_request_duration_seconds_bucket{protocol="${protocol}",le="${le}"}`,
        values,
      });
      const name = 'sage_agent_request_duration_seconds';
      const tests = {
        rule_files: ['percentiles.yml'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: [
              bucket('a2a', '1', '0+50x20'),
              bucket('a2a', '2', '0+100x20'),
              bucket('a2a', '+Inf', '0+100x20'),
              bucket('http', '1', '0+0x20'),
              bucket('http', '2', '0+100x20'),
              bucket('http', '+Inf', '0+100x20'),
            ],
            promql_expr_test: [
              [
                `${name}:p50`,
                [
                  ['protocol="a2a"', 1],
                  ['protocol="http"', 1.5],
                ],
              ],
              [
                `${name}:p95`,
                [
                  ['protocol="a2a"', 1.9],
                  ['protocol="http"', 1.95],
                ],
              ],
              [`${name}:all:p50`, [['', 1 + 1 / 3]]],
            ].map(([expr, samples]) => ({
              expr: `round(${String(expr)}, 0.0001)`,
              eval_time: '15m',
              exp_samples: (samples as [string, number][]).map(([labels, value]) => ({
                labels: `{${labels}}`,
                value: Math.round(value * 1e4) / 1e4,
              })),
            })),
          },
        ],
      };
      // JSON is YAML.
      expect(await run('test', 'rules', write('percentile-tests.yml', JSON.stringify(tests)))).toContain('SUCCESS');
    });
  },
);
