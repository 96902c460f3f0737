import { observe, type OperationHandlers, type OperationRecord, type Subscription } from '@sage-adk/core';
import { catalogue, type EventEntry } from '@sage-adk/core/catalogue';
import { higherLevel, type LogLevel } from './level.ts';
import type { Logger } from './logger.ts';
import { OperationForm, OperationLine } from './operation-line.ts';
import type { Fields } from './serialise/plain.ts';
import { snakeCase } from './snake-case.ts';

/** What the catalogue says about a name's lines. */
type Entry = Pick<EventEntry, 'level'> & Partial<Pick<EventEntry, 'category'>>;

/** Operations that users added are for the developer. */
const unlisted: Entry = { level: 'DEBUG' };

/** The highest level that the end of an operation can have. */
const highestLevel = 'ERROR';

/**
 * Writes one line at the end of each operation and one for each event, at the level of the catalogue: INFO for requests and calls of a model, DEBUG for the rest.
 * An outcome of error or timeout raises a line to WARN at least, a critical error to ERROR. So with DEBUG off the other operations still tell their failures.
 *
 * The stack of an error that passes through many operations is written once, where it happened.
 */
export function observeLogging(logger: Logger): Subscription {
  const printed = new WeakSet<object>();
  const subscription = observe({
    name: 'logging',
    operation: (name) => (logger.isEnabled(highestLevel) ? lineAtEnd(logger, name, printed) : undefined),
    event(name) {
      const { level, category } = entryOf(catalogue.events, name);
      if (!logger.isEnabled(level)) return undefined;
      return (event) =>
        logger.log({ level, message: name, fields: () => ({ category, event: name, ...snakeCased(event as Fields) }) });
    },
  });
  const levelChanges = logger.onLevelChange(() => subscription.refresh());
  return {
    refresh: () => subscription.refresh(),
    [Symbol.dispose]() {
      levelChanges[Symbol.dispose]();
      subscription[Symbol.dispose]();
    },
  };
}

function lineAtEnd(logger: Logger, name: string, printed: WeakSet<object>): OperationHandlers {
  const entry = entryOf(catalogue.operations, name);
  const form = new OperationForm(name, entry.category);
  return {
    end(operation) {
      const level = levelOf(operation, entry.level);
      if (!logger.isEnabled(level)) return;
      const failed = level === 'ERROR' || (name === 'agent.request' && isFailure(operation));
      logger.log(new OperationLine(operation, { level, form, failed, printed }));
    },
  };
}

function isFailure({ outcome }: OperationRecord): boolean {
  return outcome === 'error' || outcome === 'timeout';
}

function levelOf(operation: OperationRecord, level: LogLevel): LogLevel {
  if (!isFailure(operation)) return level;
  return higherLevel(level, operation.category === 'critical' ? 'ERROR' : 'WARN');
}

function snakeCased(attributes: Fields): Fields {
  const fields: Record<string, unknown> = {};
  for (const key of Object.keys(attributes)) fields[snakeCase(key)] = attributes[key];
  return fields;
}

function entryOf(entries: object, name: string): Entry {
  return Object.hasOwn(entries, name) ? ((entries as Record<string, Entry>)[name] ?? unlisted) : unlisted;
}
