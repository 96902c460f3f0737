export type { CallContext } from './call-context.ts';
export { type CallOptions, createDependency, type Dependency, type DependencyOptions } from './dependency.ts';
