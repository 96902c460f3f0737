import { describe, expect, test } from '@jest/globals';
import { catalogue } from '@sage-adk/core/catalogue';
import { requireBuckets, requireDefinition } from '../src/definition.ts';
import { metricRows } from '../src/table.ts';

/** Labels that no attribute of core gives: how it ended, what it is about, and the few of metrics about the process. */
const ownLabels =
  'outcome category code operation event phase type part state kind mode agent version node source name metric probe result cached hit bulkhead'.split(
    ' ',
  );
const catalogueLabels = [...Object.values(catalogue.operations), ...Object.values(catalogue.events)].flatMap(
  ({ labels }): readonly string[] => labels,
);

describe('the table of metrics', () => {
  test.each(metricRows.map((row) => [row.name, row] as const))('%s follows the rules of Prometheus', (name, row) => {
    requireDefinition(row, row.type);
    if (row.type === 'histogram') requireBuckets(row.buckets);
    expect(name).toMatch(/^sage_/);
    expect(name).not.toMatch(/_(count|sum|bucket|counter|gauge|histogram|ms|milliseconds|kb)(_|$)/);
    expect(row.help).toMatch(/\.$/);
    if (row.unit !== undefined) expect(name).toMatch(new RegExp(`_${row.unit === 'tokens' ? 'token' : row.unit}`));
    if (/_(seconds|bytes|usd)(_|$)/.test(name)) expect(row.unit).toBeDefined();
  });

  test('names are unique', () => {
    expect(new Set(metricRows.map(({ name }) => name)).size).toBe(metricRows.length);
  });

  test('labels come from the catalogue of core or from how an operation ended, never from a user, session or message', () => {
    for (const { labels = [] } of metricRows) {
      for (const label of labels) expect([...catalogueLabels, ...ownLabels]).toContain(label);
    }
    for (const label of ['user', 'userId', 'session', 'sessionId', 'messageId', 'requestId', 'tenant']) {
      expect([...catalogueLabels, ...ownLabels]).not.toContain(label);
    }
  });

  test('every closed set belongs to a label of its metric', () => {
    for (const { labels = [], values = {} } of metricRows) {
      for (const label of Object.keys(values)) expect(labels).toContain(label);
    }
  });
});
