/** A tool over MCP: each request is told on either side, and the trace and the deadline travel in `_meta`. A tool that asks a model is told with it. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { run } from '@sage-adk/core';
import { instrumentMcpTransport } from '@sage-adk/core/mcp';
import { wrapFetch } from '@sage-adk/llm';
import { createLogger, observeLogging } from '@sage-adk/logging';

const logger = createLogger({ level: 'DEBUG', format: 'text' });
observeLogging(logger);

const server = new McpServer({ name: 'clock', version: '1' });
server.registerTool('time', {}, () => ({ content: [{ type: 'text', text: 'It is noon.' }] }));
const far = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, enableJsonResponse: true });
await server.connect(instrumentMcpTransport(far) as Transport);
const http = createServer((request, response) => void far.handleRequest(request, response)).listen(0, '127.0.0.1');
await once(http, 'listening');
const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);

// The wrapped fetch lets all pass that is no call of a model, so that one fetch serves the whole program.
const near = new StreamableHTTPClientTransport(url, { fetch: wrapFetch(fetch) });
const client = new Client({ name: 'example', version: '1' });
await client.connect(instrumentMcpTransport(near) as Transport);

await run({ requestId: 'request-1' }, async () => {
  console.log((await client.callTool({ name: 'time' })).content);
});

await client.close();
http.close();
http.closeAllConnections();
await logger.close();
