import type { IncomingMessage } from 'node:http';
import type { WireRequest } from './wire/format.ts';
import { isObject } from './wire/json.ts';

export interface ReadRequest {
  readonly request: WireRequest;
  /** Whatever JSON came; undefined where there was none. */
  readonly json: unknown;
  /** Why it cannot be answered. */
  readonly problem?: Problem;
}

/** Something that this server itself says, in a form that every client reads. */
export interface Problem {
  readonly status: number;
  readonly message: string;
}

const mostBytes = 32 * 1_024 * 1_024;

/** Reads a request to its end. Rejects when the client leaves before. */
export async function readRequest(incoming: IncomingMessage): Promise<ReadRequest> {
  const { method = 'GET', headers, url = '/' } = incoming;
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const request = { method, path: pathname, query: searchParams, headers, body: {} };
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= mostBytes) chunks.push(chunk);
  }
  if (size > mostBytes)
    return {
      request,
      json: undefined,
      problem: { status: 413, message: `The body is larger than ${mostBytes} bytes.` },
    };
  if (size === 0) return { request, json: undefined };
  try {
    const json: unknown = JSON.parse(Buffer.concat(chunks).toString());
    return { request: { ...request, body: isObject(json) ? json : {} }, json };
  } catch {
    return { request, json: undefined, problem: { status: 400, message: 'The body of the request is no JSON.' } };
  }
}
