/** The files of docs/deployment/monitoring, made by tooling/monitoring from the built packages. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Monitoring {
  monitoringFiles(): ReadonlyMap<string, string>;
}

/** What each file should say now, by its path in the repository. */
export async function monitoringFiles(root: string): Promise<ReadonlyMap<string, string>> {
  // By its path: as a dependency of the checks it would be one of the whole repository, and with it each package that it reads.
  const module: Monitoring = await import(pathToFileURL(join(root, 'tooling/monitoring/src/index.ts')).href);
  return module.monitoringFiles();
}
