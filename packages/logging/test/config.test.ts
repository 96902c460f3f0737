import { describe, expect, test } from '@jest/globals';
import { loggingConfig, loggingFromConfig } from '../src/config.ts';

describe('the logging block', () => {
  test('OC1: an empty or missing block has a default for each key', () => {
    const expected = { level: 'INFO', format: 'json', samplingRate: 1 };
    expect(loggingFromConfig(loggingConfig.parse({}))).toEqual(expected);
    expect(loggingFromConfig(loggingConfig.parse(undefined))).toEqual(expected);
  });

  test('OL8: the keys of the block become options', () => {
    const block = {
      level: 'debug',
      format: 'text',
      output: 'file',
      file_path: '/var/log/agent.log',
      sampling_rate: 0.05,
    };
    expect(loggingFromConfig(loggingConfig.parse(block))).toEqual({
      level: 'DEBUG',
      format: 'text',
      filePath: '/var/log/agent.log',
      samplingRate: 0.05,
    });
  });

  test.each([
    ['an unknown key', { colour: true }, ''],
    ['an unknown level', { level: 'LOUD' }, 'level'],
    ['a rate above 1', { sampling_rate: 5 }, 'sampling_rate'],
    ['a file without its path', { output: 'file' }, 'file_path'],
    ['a path without the output file', { file_path: '/tmp/x' }, 'file_path'],
  ])('refuses %s at its place', (_name, block, path) => {
    const { error } = loggingConfig.safeParse(block);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });
});
