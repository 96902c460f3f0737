/** What a path of the HTTP+JSON binding can do, by HTTP method. */
export type RestMethods = Readonly<Record<string, RestRoute>>;

export interface RestRoute {
  /** Whether it starts work on a message. */
  readonly message: boolean;
  /** Whether the answer is a stream. */
  readonly stream: boolean;
}

const plain: RestRoute = { message: false, stream: false };
const subscribe: RestRoute = { message: false, stream: true };

const paths: readonly { readonly pattern: RegExp; readonly methods: RestMethods }[] = [
  { pattern: at('/message:send'), methods: { POST: { message: true, stream: false } } },
  { pattern: at('/message:stream'), methods: { POST: { message: true, stream: true } } },
  { pattern: at('/tasks'), methods: { GET: plain } },
  { pattern: at('/tasks/[^/:]+'), methods: { GET: plain } },
  { pattern: at('/tasks/[^/:]+:cancel'), methods: { POST: plain } },
  { pattern: at('/tasks/[^/:]+:subscribe'), methods: { GET: subscribe, POST: subscribe } },
  { pattern: at('/tasks/[^/:]+/pushNotificationConfigs'), methods: { GET: plain, POST: plain } },
  { pattern: at('/tasks/[^/:]+/pushNotificationConfigs/[^/]+'), methods: { GET: plain, DELETE: plain } },
  { pattern: at('/extendedAgentCard'), methods: { GET: plain } },
];

/** The methods at a path below the binding's own, or undefined where there is nothing. A tenant may stand before it. */
export function methodsAt(path: string): RestMethods | undefined {
  return paths.find(({ pattern }) => pattern.test(path))?.methods;
}

function at(pattern: string): RegExp {
  return new RegExp(`^(?:/[^/]+)?${pattern}$`);
}
