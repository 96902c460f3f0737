export { instrumentMcpTransport, type McpTransport } from './instrument.ts';
