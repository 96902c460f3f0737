/** Files, exports and dependencies that nothing uses. */
import { commandCheck } from '../run-command.js';

export const check = (root) => commandCheck('knip', ['--no-progress', '--no-config-hints'], { cwd: root });
