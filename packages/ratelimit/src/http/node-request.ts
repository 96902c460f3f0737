import type { RequestFrom } from './address.ts';
import type { RequestReader } from './gate.ts';

/** Reads requests of `node:http`, and those of frameworks that build on them. */
export const nodeRequests: RequestReader<RequestFrom> = {
  peer: ({ socket }) => socket.remoteAddress,
  field(request, name) {
    const value = request.headers[name];
    return typeof value === 'string' ? value : value?.join(',');
  },
};
