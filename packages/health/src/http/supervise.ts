import { emit } from '@sage-adk/core';
import type { ServedProbes } from './served-probes.ts';

/** Two ways to serve the same probes, each on the port that it is given. */
export interface Ways {
  readonly first: (port: number) => Promise<ServedProbes>;
  /** Where the first way does not work any more. */
  readonly last: (port: number) => Promise<ServedProbes>;
}

/** Broken threads that are replaced by another thread, in the life of a listener. */
const mostReplacements = 3;

/** Keeps the probes served on one port: what breaks is replaced, and each time the event `error.critical` says so. */
export async function supervise(ways: Ways, port: number): Promise<Omit<ServedProbes, 'broken'>> {
  const { first, last } = ways;
  let serving: ServedProbes | undefined = await first(port);
  const bound = serving.port;
  let closed = false;
  let replacing: Promise<void> = Promise.resolve();
  let replacements = 0;

  const replace = async (reason: string): Promise<void> => {
    serving = undefined;
    if (closed) return;
    emit('error.critical', { source: 'health', reason: 'probe_thread', message: `The probes broke: ${reason}` });
    try {
      serving = replacements++ < mostReplacements ? await first(bound).catch(() => last(bound)) : await last(bound);
      watch(serving);
    } catch (error) {
      const message = `The probes are not served any more: ${error instanceof Error ? error.message : String(error)}`;
      emit('error.critical', { source: 'health', reason: 'probe_listener', message });
    }
  };
  const watch = ({ broken }: ServedProbes): void => {
    void broken.then((reason) => (replacing = replace(reason)));
  };
  watch(serving);
  return {
    port: bound,
    async close() {
      closed = true;
      await replacing;
      await serving?.close();
    },
  };
}
