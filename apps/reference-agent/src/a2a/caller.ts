import type { ServerCallContext, User } from '@a2a-js/sdk/server';
import type { Exchange } from '../http/exchange.ts';

/** The user as the SDK sees one, carrying the request through it to the executor. */
export class Caller implements User {
  readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get isAuthenticated(): boolean {
    return this.exchange.subject.principal.kind !== 'address';
  }

  get userName(): string {
    return this.exchange.subject.principal.id;
  }
}

/** The request that a call of the SDK belongs to. */
export function exchangeOf({ user }: ServerCallContext): Exchange {
  if (user instanceof Caller) return user.exchange;
  throw new TypeError('A call came without its request.');
}
