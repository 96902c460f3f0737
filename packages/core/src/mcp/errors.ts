import { defineErrors } from '../errors/define-errors.ts';

/** What operations end with; callers see the SDK's own errors. */
export const mcpErrors = defineErrors('MCP', {
  CONNECTION_LOST: { category: 'transient', status: 502, message: 'The MCP connection ended before the answer came.' },
});
