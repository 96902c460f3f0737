/**
 * What each operation and event becomes for somebody who watches. Metrics, logging and tracing follow this table, and a test drives every row.
 */
import type { EventName, OperationName, StartOf } from '../catalogue-types.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

/** Where in the logs a line belongs. */
export type LogCategory = 'lifecycle' | 'message' | 'llm' | 'protocol' | 'storage' | 'security';

export interface OperationEntry<N extends OperationName = OperationName> {
  readonly description: string;
  /** `span`: a span of its own. `event`: a span event on its parent. `none`: a metric only. */
  readonly trace: 'span' | 'event' | 'none';
  /** A span shorter than this becomes an event on its parent. */
  readonly spanFromMs?: number;
  readonly spanKind: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  /** Level of the line at its end; an outcome of error or timeout raises it to WARN at least. */
  readonly level: LogLevel;
  readonly category: LogCategory;
  /** Attributes of the start that metrics may use as labels: few values each, never a user. */
  readonly labels: readonly (keyof StartOf<N> & string)[];
}

export interface EventEntry {
  readonly description: string;
  readonly level: LogLevel;
  readonly category: LogCategory;
  readonly labels: readonly string[];
}

export interface Catalogue {
  readonly operations: { readonly [N in OperationName]: OperationEntry<N> };
  readonly events: { readonly [E in EventName]: EventEntry };
}

const storage = {
  trace: 'span',
  spanKind: 'client',
  level: 'DEBUG',
  category: 'storage',
  labels: ['store', 'namespace'],
} as const;
const inner = { spanKind: 'internal', level: 'DEBUG' } as const;

export const catalogue: Catalogue = {
  operations: {
    'agent.request': {
      description: 'A request to the agent, from its arrival to the last byte of the answer',
      trace: 'span',
      spanKind: 'server',
      level: 'INFO',
      category: 'message',
      labels: ['protocol', 'method', 'stream'],
    },
    'agent.middleware': {
      ...inner,
      description: 'One named step around a call',
      trace: 'span',
      spanFromMs: 1,
      category: 'message',
      labels: ['middleware'],
    },
    'llm.call': {
      description: 'One logical call of a model, with all its tries',
      trace: 'span',
      spanKind: 'client',
      level: 'INFO',
      category: 'llm',
      labels: ['provider', 'model', 'api', 'stream'],
    },
    'storage.get': { ...storage, description: 'Reading one entry' },
    'storage.set': { ...storage, description: 'Writing one entry' },
    'storage.delete': { ...storage, description: 'Deleting one entry' },
    'storage.list': { ...storage, description: 'Listing entries' },
    'cache.get': {
      ...inner,
      description: 'A look-up in a second cache tier',
      trace: 'event',
      category: 'storage',
      labels: ['cache', 'tier'],
    },
    'protocol.handshake': {
      ...inner,
      description: 'Agreeing on a secured session',
      trace: 'span',
      category: 'protocol',
      labels: ['protocol', 'role'],
    },
    'protocol.sign': {
      ...inner,
      description: 'Signing a message',
      trace: 'span',
      category: 'protocol',
      labels: ['algorithm'],
    },
    'protocol.verify': {
      ...inner,
      description: 'Verifying the signature of a message',
      trace: 'span',
      category: 'protocol',
      labels: ['algorithm'],
    },
    'did.resolve': {
      ...inner,
      description: 'Resolving a DID to its document',
      trace: 'span',
      spanKind: 'client',
      category: 'protocol',
      labels: ['method'],
    },
    'a2a.send': {
      ...inner,
      description: 'An A2A request to another agent',
      trace: 'span',
      spanKind: 'client',
      category: 'protocol',
      labels: ['method', 'stream'],
    },
    'a2a.receive': {
      ...inner,
      description: 'An A2A request of another agent',
      trace: 'span',
      spanKind: 'server',
      category: 'protocol',
      labels: ['method', 'stream'],
    },
    'mcp.call': {
      ...inner,
      description: 'An MCP request',
      trace: 'span',
      spanKind: 'client',
      category: 'protocol',
      labels: ['method', 'role'],
    },
    'tool.call': { ...inner, description: 'One run of a tool', trace: 'span', category: 'llm', labels: ['tool'] },
    'limiter.check': {
      ...inner,
      description: 'A decision of a shared limiter store',
      trace: 'event',
      category: 'message',
      labels: ['store'],
    },
    'retry.attempt': {
      ...inner,
      description: 'One try of something that may be tried again',
      trace: 'event',
      category: 'message',
      labels: ['dependency'],
    },
    'fallback.step': {
      ...inner,
      description: 'One target of a fallback chain',
      trace: 'event',
      category: 'message',
      labels: ['chain', 'target', 'tier'],
    },
    'queue.wait': {
      ...inner,
      description: 'Waiting in a queue',
      trace: 'event',
      category: 'message',
      labels: ['queue'],
    },
    'pool.acquire': {
      ...inner,
      description: 'Waiting for a connection of a pool',
      trace: 'event',
      category: 'storage',
      labels: ['pool'],
    },
    'dlq.put': {
      ...inner,
      description: 'Putting a failed message aside',
      trace: 'span',
      spanKind: 'producer',
      category: 'message',
      labels: ['store', 'queue'],
    },
    'dlq.replay': {
      ...inner,
      description: 'Another try of a message that was put aside',
      trace: 'span',
      spanKind: 'consumer',
      category: 'message',
      labels: ['store', 'queue'],
    },
    'health.check': {
      ...inner,
      description: 'One run of a health check',
      trace: 'none',
      category: 'lifecycle',
      labels: ['check'],
    },
  },
  events: {
    'agent.state': {
      description: 'The agent changed its state',
      level: 'INFO',
      category: 'lifecycle',
      labels: ['from', 'to'],
    },
    'breaker.changed': {
      description: 'A circuit breaker changed its state',
      level: 'WARN',
      category: 'message',
      labels: ['dependency', 'from', 'to'],
    },
    'limiter.denied': {
      description: 'A limit said no',
      level: 'DEBUG',
      category: 'message',
      labels: ['rule', 'unit', 'scope', 'mode'],
    },
    'budget.exhausted': {
      description: 'A budget is used up',
      level: 'WARN',
      category: 'llm',
      labels: ['rule', 'period', 'handling'],
    },
    'timeout.fired': {
      description: 'A timeout ended a call',
      level: 'WARN',
      category: 'message',
      labels: ['operation'],
    },
    'fallback.used': {
      description: 'A fallback answered in place of the first choice',
      level: 'WARN',
      category: 'llm',
      labels: ['chain', 'from', 'to', 'reason'],
    },
    'error.critical': {
      description: 'Something failed that somebody must look at',
      level: 'ERROR',
      category: 'lifecycle',
      labels: ['source', 'reason'],
    },
    'security.violation': {
      description: 'Authentication, a signature or a policy was violated',
      level: 'WARN',
      category: 'security',
      labels: ['kind', 'reason'],
    },
    'config.changed': {
      description: 'The configuration was replaced',
      level: 'INFO',
      category: 'lifecycle',
      labels: [],
    },
    'lease.expired': {
      description: 'A lease ended without being returned',
      level: 'WARN',
      category: 'message',
      labels: ['rule'],
    },
  },
};
