import { describe, expect, test } from '@jest/globals';
import { readCorpus } from '@tooling/error-corpus';
import { createClassifier } from '../../src/index.ts';

const corpus = readCorpus();
const classifier = createClassifier({ now: () => Date.parse('2026-11-28T00:00:00Z') });

describe('ER17: the corpus of recorded errors', () => {
  test('holds at least 120 shapes, each from a named package and with a source for its label', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(120);
    for (const { from, label } of corpus) expect([from, label.source].every((text) => text.length > 3)).toBe(true);
  });

  test.each(corpus.map((one) => [one.name, one] as const))('%s', (_name, { error, label }) => {
    const { category, reason, retry, waitMs } = classifier.classify(error);
    const { source: _source, ...expected } = label;
    expect({ category, reason, retry, ...(waitMs !== undefined && { waitMs }) }).toEqual(expected);
  });
});
