/** Who may import whom, by the tags in the turbo.json of each package; oxlint's no-restricted-imports is the second net. */
import { commandVerdict } from '../run-command.ts';
import type { Verdict } from '../verdict.ts';

export function check(root: string): Promise<Verdict> {
  return commandVerdict(root, 'turbo', ['boundaries']);
}
