import { commandVerdict } from '../run-command.ts';
import type { Verdict } from '../verdict.ts';

export function check(root: string): Promise<Verdict> {
  return commandVerdict(root, 'oxfmt', ['--check', '.']);
}
