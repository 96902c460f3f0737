import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AgentCard } from '@a2a-js/sdk';
import { errors } from '../errors.ts';
import type { Surface } from '../http/surface.ts';

export const cardPath = '/.well-known/agent-card.json';

/** The agent card for everybody, with what a cache needs to ask again cheaply. */
export function createCardSurface(card: AgentCard, changedAt: Date): Surface {
  const body = Buffer.from(JSON.stringify(AgentCard.toJSON(card)));
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const lastModified = changedAt.toUTCString();
  const fields = { etag, 'last-modified': lastModified, 'cache-control': 'public, max-age=300' };
  return {
    protocol: 'a2a',
    name: 'card',
    open: true,
    endsWithClient: true,
    async read({ request: { method = '', headers }, response }) {
      if (method !== 'GET' && method !== 'HEAD') throw errors.METHOD_NOT_ALLOWED({ method, allowed: 'GET, HEAD' });
      return {
        method: 'GetAgentCard',
        stream: false,
        async answer() {
          if (isFresh(headers, etag, lastModified)) {
            response.writeHead(304, fields).end();
            return;
          }
          response.writeHead(200, { ...fields, 'content-type': 'application/json', 'content-length': body.length });
          response.end(method === 'HEAD' ? undefined : body);
        },
      };
    },
  };
}

/** @see RFC 9110, section 13.2.2: the tag decides where there is one, the date otherwise. */
function isFresh(headers: IncomingHttpHeaders, etag: string, lastModified: string): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) {
    return tags.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
  }
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return since >= Date.parse(lastModified);
}
