import { commandCheck } from '../run-command.js';

export const check = (root) => commandCheck('oxfmt', ['--check', '.'], { cwd: root });
