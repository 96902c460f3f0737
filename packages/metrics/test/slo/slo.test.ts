import { describe, expect, test } from '@jest/globals';
import { defineSlo, requestsAvailable, requestsWithin, sloRules, type SloOptions } from '../../src/slo/index.ts';
import { badShare } from '../../src/slo/expressions.ts';

const define = (options: Partial<SloOptions> = {}) =>
  defineSlo({ name: 'x', objective: 0.999, indicator: requestsAvailable, ...options });

describe('an objective', () => {
  test('OC4: alerts at the pace of the SRE workbook: 14.4, 6, 3 and 1 times what the budget of 30 days allows', () => {
    expect(define().burns).toEqual([
      { severity: 'page', long: '1h', short: '5m', above: 0.0144 },
      { severity: 'page', long: '6h', short: '30m', above: 0.006 },
      { severity: 'ticket', long: '1d', short: '2h', above: 0.003 },
      { severity: 'ticket', long: '3d', short: '6h', above: 0.001 },
    ]);
  });

  test('a shorter window takes the same shares of its own budget', () => {
    expect(define({ windowDays: 7 }).burns.map(({ above }) => above)).toEqual([0.00336, 0.0014, 0.0007, 0.000233333]);
  });

  test('an alert that could never fire is left out, and an objective without any is refused', () => {
    expect(define({ objective: 0.9 }).burns.map(({ long }) => long)).toEqual(['6h', '1d', '3d']);
    expect(define({ objective: 0.9, windowDays: 1 }).burns.map(({ long }) => long)).toEqual(['1h', '6h']);
    expect(() => define({ objective: 1e-9, windowDays: 365 })).toThrow(/objective is/);
  });

  test.each<[string, Partial<SloOptions>]>([
    ['name', { name: 'Agent availability' }],
    ['objective', { objective: 1 }],
    ['objective', { objective: 99.9 }],
    ['windowDays', { windowDays: 0 }],
    ['withinSeconds', { indicator: requestsWithin(3) }],
    ['metric', { indicator: { type: 'quality', total: { metric: 'a b' }, good: { metric: 'c' } } }],
    ['where', { indicator: { type: 'quality', total: { metric: 'a', where: { 'b"': 'c' } }, good: { metric: 'c' } } }],
  ])('a wrong %s is refused', (name, options) => {
    expect(() => define(options)).toThrow(new RegExp(`option ${name} is`));
  });

  test.each([
    [0.00005, String.raw`le=~"0\\.00005|5e-05"`],
    [0.000125, 'le="0.000125"'],
    [2, String.raw`le=~"2|2\\.0"`],
    [5e-7, 'le=~"5e-7|5e-07"'],
    [1_500_000, String.raw`le=~"1500000|1500000\\.0|1\\.5e\\+06"`],
  ])('a bound of %d s is found in each way that Prometheus writes it', (withinSeconds, le) => {
    const indicator = { type: 'latency', histogram: { metric: 'wait_seconds' }, withinSeconds } as const;
    expect(badShare(indicator, '5m')).toContain(`wait_seconds_bucket{${le}}`);
  });

  test('a month is read every five minutes, the rest as often as the other rules', () => {
    const [, often = '', rarely = ''] = sloRules([define()]).split('- name:');
    expect(often).not.toContain('[30d]');
    expect(rarely).toContain('interval: "5m"');
    expect(rarely).toContain('record: "sage:slo_bad:ratio_rate30d"');
  });
});
