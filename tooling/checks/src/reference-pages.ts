import { errorReference, errorReferenceFile } from './error-reference.ts';
import { metricReference, metricReferenceFile } from './metric-reference.ts';

/** A page that is made from the packages. */
export interface ReferencePage {
  /** Relative to the root. */
  readonly file: string;
  /** What it should say now. */
  readonly make: (root: string) => Promise<string>;
}

export const referencePages: readonly ReferencePage[] = [
  { file: errorReferenceFile, make: errorReference },
  { file: metricReferenceFile, make: metricReference },
];
