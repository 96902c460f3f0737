import type { CheckSpec } from '../checks/spec.ts';

/** What every ready-made check takes: how it is called and watched. */
export interface NamedCheck extends Omit<CheckSpec, 'name' | 'check'> {
  /** Names must differ within one health. @default that of the kind, such as `redis` */
  readonly name?: string;
}
