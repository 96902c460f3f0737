/** What the agent counts of itself beside what its users and its providers saw. */
import { type Seen, speakerOf } from './client.ts';
import { faults } from './faults.ts';
import { providers } from './script.ts';
import type { Scrape } from './scrape.ts';
import type { Sky } from './sky.ts';

export interface Pair {
  readonly agent: number;
  readonly seen: number;
  /** How many more there may be that nobody could see. @default 0 */
  readonly unseen?: number;
}

export type Agreement = Readonly<
  Record<'requests' | 'failures' | 'tries' | 'fallbacks' | 'deadLetters' | 'alerts', Pair>
>;

/** Whether the agent counts what was seen. */
export function agrees({ agent, seen, unseen = 0 }: Pair): boolean {
  return agent >= seen && agent <= seen + unseen;
}

/** @param hasChain whether anybody is asked but the first provider, so that it is an alert where nobody answered. */
export function compare(scraped: Scrape, seen: readonly Seen[], sky: Sky, hasChain: boolean): Agreement {
  const a2a = (labels: Readonly<Record<string, string>>): number =>
    scraped.sum('sage_agent_requests_total', { protocol: 'a2a', ...labels });
  const operations = (operation: string, labels: Readonly<Record<string, string>> = {}): number =>
    scraped.sum('sage_operation_duration_seconds_count', { operation, ...labels });
  const events = (event: string): number => scraped.sum('sage_events_total', { event });
  const failed = seen.filter(({ verdict }) => verdict === 'failed');
  const degraded = seen.filter(({ verdict }) => verdict === 'degraded');
  const speakers = seen.flatMap(({ shown }) => shown.map(speakerOf));
  const others = speakers.filter((name) => name !== undefined && name !== providers[0]);
  // A plain message shows nothing of an answer that broke off and began again.
  const plain = seen.filter(({ streamed }) => !streamed).flatMap(({ message }) => sky.tries.get(message) ?? []);
  const hidden = plain.filter(({ provider, fault }) => provider !== providers[0] && fault && faults[fault].within);
  const unbegun = failed.filter(({ shown }) => shown.length === 0);
  return {
    requests: { agent: a2a({}), seen: seen.length },
    failures: { agent: a2a({ outcome: '!ok' }), seen: failed.length },
    // What the breaker refused went to no provider.
    tries: { agent: operations('retry.attempt', { outcome: '!denied' }), seen: sky.requests() },
    fallbacks: { agent: events('fallback.used'), seen: degraded.length + others.length, unseen: hidden.length },
    deadLetters: { agent: operations('dlq.put'), seen: failed.length },
    alerts: { agent: events('error.critical'), seen: hasChain ? degraded.length + unbegun.length : 0 },
  };
}
