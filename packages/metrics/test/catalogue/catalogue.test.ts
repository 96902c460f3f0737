import { describe, expect, test } from '@jest/globals';
import { catalogue } from '@sage-adk/core/catalogue';
import { metricCatalogue } from '../../src/catalogue/index.ts';

const known = [...Object.keys(catalogue.operations), ...Object.keys(catalogue.events)];
const groups = new Set(known.map((name) => `${name.split('.', 1)[0]}.*`));

describe('the catalogue of metrics', () => {
  test('every metric says where its numbers come from, and each operation or event that it names exists', () => {
    for (const { name, from } of metricCatalogue) {
      for (const origin of from.split(',')) {
        if (/^[a-z0-9]+\.[a-z*]+$/.test(origin))
          expect([name, origin, known.includes(origin) || groups.has(origin)]).toEqual([name, origin, true]);
        else
          expect(origin).toMatch(
            /^(source \S+ \S+|process|cluster|options|operations|metrics|every [a-z ,.]+| those of the user too)$/,
          );
      }
    }
  });

  test('names in OpenTelemetry are well formed and unique, without unit and type', () => {
    const names = metricCatalogue.map(({ openTelemetry }) => openTelemetry.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/);
    for (const name of names) expect(name).not.toMatch(/_(total|seconds|bytes)$/);
  });

  test('each label has one attribute, and the unit is that of UCUM', () => {
    for (const { labels = [], openTelemetry } of metricCatalogue) {
      expect(Object.keys(openTelemetry.attributes)).toEqual([...labels]);
      expect(new Set(Object.values(openTelemetry.attributes)).size).toBe(labels.length);
      expect(['1', 's', 'By', '{USD}', '{token}']).toContain(openTelemetry.unit);
    }
  });

  test('where a convention has a name for it, it is that', () => {
    const named = (name: string) => metricCatalogue.find((entry) => entry.name === name)?.openTelemetry;
    expect(named('sage_llm_call_duration_seconds')).toEqual({
      name: 'gen_ai.client.operation.duration',
      unit: 's',
      attributes: { provider: 'gen_ai.provider.name', model: 'gen_ai.request.model', outcome: 'sage.outcome' },
    });
    expect(named('sage_agent_requests_total')?.name).toBe('sage.agent.requests');
    expect(named('sage_a2a_duration_seconds')?.attributes).toMatchObject({ method: 'a2a.method.name' });
  });
});
