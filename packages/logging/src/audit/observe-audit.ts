import { current, observe, type Subscription } from '@sage-adk/core';
import { addPlain, type Fields } from '../serialise/plain.ts';
import { textOf } from '../serialise/readable.ts';
import type { AuditLog } from './audit-log.ts';

const audited: ReadonlySet<string> = new Set(['security.violation', 'config.changed', 'error.critical']);

/**
 * Records violations of security, changes of the configuration and critical errors, with the verified principal of the request as actor.
 * A record that cannot be written is told as a process warning, as no event may change what it is about; `append` itself throws.
 */
export function observeAudit(log: AuditLog): Subscription {
  return observe({
    name: 'audit',
    event: (name) =>
      !audited.has(name)
        ? undefined
        : (event) => {
            try {
              const context = current();
              const actor = context?.principal?.id;
              // Copied with care: a member that cannot be read costs itself, not the record.
              const details: Record<string, unknown> = {};
              addPlain(details, event as Fields, () => false);
              details['request_id'] = context?.requestId;
              log.append({ event: name, details, ...(actor !== undefined && { actor }) });
            } catch (error) {
              process.emitWarning(textOf(error), { code: 'SAGE_LOGGING_AUDIT_NOT_WRITTEN' });
            }
          },
  });
}
