/** What the agent counts of itself beside what its users and its providers saw. */
import { type Seen, speakerOf } from './client.ts';
import { providers } from './script.ts';
import type { Scrape } from './scrape.ts';
import type { Sky } from './sky.ts';

export interface Pair {
  readonly agent: number;
  readonly seen: number;
}

/** Pairs that must be equal. */
export type Agreement = Readonly<
  Record<'requests' | 'failures' | 'tries' | 'fallbacks' | 'deadLetters' | 'alerts', Pair>
>;

/** @param hasChain whether anybody is asked but the first provider, so that it is an alert where nobody answered. */
export function compare(scraped: Scrape, seen: readonly Seen[], sky: Sky, hasChain: boolean): Agreement {
  const a2a = (labels: Readonly<Record<string, string>>): number =>
    scraped.sum('sage_agent_requests_total', { protocol: 'a2a', ...labels });
  const operations = (operation: string): number => scraped.sum('sage_operation_duration_seconds_count', { operation });
  const events = (event: string): number => scraped.sum('sage_events_total', { event });
  const failed = seen.filter(({ verdict }) => verdict === 'failed');
  const degraded = seen.filter(({ verdict }) => verdict === 'degraded');
  const speakers = seen.flatMap(({ shown }) => shown.map(speakerOf));
  const others = speakers.filter((name) => name !== undefined && name !== providers[0]);
  const unbegun = failed.filter(({ shown }) => shown.length === 0);
  return {
    requests: { agent: a2a({}), seen: seen.length },
    failures: { agent: a2a({ outcome: '!ok' }), seen: failed.length },
    tries: { agent: operations('retry.attempt'), seen: sky.requests() },
    fallbacks: { agent: events('fallback.used'), seen: degraded.length + others.length },
    deadLetters: { agent: operations('dlq.put'), seen: failed.length },
    alerts: { agent: events('error.critical'), seen: hasChain ? degraded.length + unbegun.length : 0 },
  };
}
