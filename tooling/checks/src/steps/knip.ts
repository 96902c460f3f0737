/** Files, exports and dependencies that nothing uses. */
import { commandVerdict } from '../run-command.ts';
import type { Verdict } from '../verdict.ts';

export function check(root: string): Promise<Verdict> {
  return commandVerdict(root, 'knip', ['--no-progress', '--no-config-hints']);
}
