export { mcpErrors } from './errors.ts';
export { instrumentMcpTransport, type McpTransport } from './instrument.ts';
