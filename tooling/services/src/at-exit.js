// What must be done when this process ends, whichever way.

/** @type {Set<() => void>} */
const lastActs = new Set();
process.once('exit', () => {
  for (const act of [...lastActs].reverse()) act();
});

/**
 * Runs a synchronous act when this process exits, the last one registered first.
 * @param {() => void} act
 * @returns {() => void} Takes it back.
 */
export function atExit(act) {
  lastActs.add(act);
  return () => lastActs.delete(act);
}
