import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { type Shape, shapeOf } from '@tooling/error-corpus/shape';

/** One error as it was thrown. */
export interface Recorded {
  /** Unique in its origin. */
  readonly name: string;
  readonly shape: Shape;
}

/** Where errors come from: a package, or the platform. */
export interface Origin {
  /** Name of the file of fixtures. */
  readonly name: string;
  /** Package and version, such as `openai@7.57.0`, or what else threw. */
  readonly from: string;
  record(): Promise<readonly Recorded[]>;
}

export function packageAndVersion(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) throw new TypeError(`No package is called ${name}.`);
  return `${name}@${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
}

/** What `fail` throws; an error that is not thrown is one of the corpus. */
export async function caught(name: string, fail: () => unknown): Promise<Recorded> {
  let result: unknown;
  try {
    result = await fail();
  } catch (error) {
    return { name, shape: shapeOf(error) };
  }
  throw new TypeError(`${name} did not fail, it returned ${JSON.stringify(result)?.slice(0, 200)}`);
}
