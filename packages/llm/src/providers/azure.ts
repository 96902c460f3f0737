import type { Endpoint } from './api.ts';

/** On Azure the path may name what the body does not: the deployment, which has a model. */
export function deploymentIn(path: string): Endpoint {
  const [, model] = /\/deployments\/([^/]+)\//.exec(path) ?? [];
  return model === undefined ? {} : { model };
}
