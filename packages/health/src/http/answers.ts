import { requireOption } from '@sage-adk/core';
import type { Health } from '../health.ts';
import type { CheckReport, Verdict } from '../verdict.ts';
import type { Answer, Answers, PathsOfProbes } from './respond.ts';

export interface ProbePaths {
  /** @default '/health/live' */
  readonly live?: string;
  /** @default '/health/ready' */
  readonly ready?: string;
  /** @default '/health/startup' */
  readonly startup?: string;
}

export interface ProbeOptions {
  readonly paths?: ProbePaths;
  /** Whether answers hold what a check said or threw, without what looks like a secret. @default false */
  readonly details?: boolean;
}

/** What the three probes answer now. */
export function answersOf(health: Health, details: boolean): Answers {
  return {
    live: answerOf(health.live(), details),
    ready: answerOf(health.ready(), details),
    startup: answerOf(health.startup(), details),
  };
}

export function answerOf({ status, reason, checks }: Verdict, details: boolean): Answer {
  const body = { status, reason, checks: checks.map((check) => toRow(check, details)) };
  return { status: status === 'fail' ? 503 : 200, body: `${JSON.stringify(body)}\n` };
}

/** Fills in the default paths, and refuses what cannot be. */
export function pathsOf({
  live = '/health/live',
  ready = '/health/ready',
  startup = '/health/startup',
}: ProbePaths = {}): PathsOfProbes {
  for (const path of [live, ready, startup]) requireOption('paths', path, 'a path that starts with a slash', isPath);
  requireOption(
    'paths',
    `${live}, ${ready}, ${startup}`,
    'three different paths',
    () => new Set([live, ready, startup]).size === 3,
  );
  return { live, ready, startup };
}

function isPath(text: string): boolean {
  return /^\/[^?#\s]*$/.test(text);
}

function toRow({ name, status, reason, critical, checkedAtMs, detail }: CheckReport, details: boolean): object {
  return {
    name,
    status,
    reason,
    critical,
    checkedAt: checkedAtMs === undefined ? null : new Date(checkedAtMs).toISOString(),
    ...(details && detail !== undefined && { detail }),
  };
}
