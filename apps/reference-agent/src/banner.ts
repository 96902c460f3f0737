import type { AgentUrls } from './agent.ts';
import type { AgentConfig } from './config/schema.ts';

/** What the agent prints once it listens: what to open, and a command that works as pasted. */
export function banner({ agent, card, messages, metrics, health }: AgentUrls, { server }: AgentConfig): string {
  const key = server.api_keys.length > 0 ? ` -H 'Authorization: Bearer YOUR_KEY'` : '';
  const rows = [
    ['Agent', agent],
    ['Agent card', card],
    ['Messages', messages],
    ['Metrics', metrics],
    ['Health', health],
  ].flatMap(([name, url]) => (url === undefined ? [] : [`${name?.padEnd(11)} ${url}`]));
  const curl = `  curl -s ${messages} -H 'Content-Type: application/json'${key} -d '{"text":"Hello, my name is Ada."}'`;
  return `${rows.join('\n')}\n\n${curl}\n\n`;
}
