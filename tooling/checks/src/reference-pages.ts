import { errorReference, errorReferenceFile } from './error-reference.ts';
import { metricReference, metricReferenceFile } from './metric-reference.ts';
import { monitoringFiles } from './monitoring-reference.ts';

/** The files that are made from the packages, by their paths in the repository, with what they should say now. */
export async function referencePages(root: string): Promise<ReadonlyMap<string, string>> {
  return new Map([
    [errorReferenceFile, await errorReference(root)],
    [metricReferenceFile, await metricReference(root)],
    ...(await monitoringFiles(root)),
  ]);
}
