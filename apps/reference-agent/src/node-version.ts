/** Whether a Node of this version cannot run the agent. */
export function isTooOld(version: string): boolean {
  const parts = version.split('.').map(Number);
  const major = Number(parts[0]);
  return major < 22 || (major === 22 && Number(parts[1]) < 12);
}
