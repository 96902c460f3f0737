/** Who may import whom, by the tags in the turbo.json of each package; oxlint's no-restricted-imports is the second net. */
import { commandCheck } from '../run-command.js';

export const check = (root) => commandCheck('turbo', ['boundaries'], { cwd: root });
