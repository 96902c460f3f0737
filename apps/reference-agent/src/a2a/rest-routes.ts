/** What a path of the HTTP+JSON binding can do, by HTTP method. */
export type RestMethods = Readonly<Record<string, RestRoute>>;

export interface RestRoute {
  /** Its name in A2A. */
  readonly name: string;
  /** Whether it starts work on a message. */
  readonly message: boolean;
  /** Whether the answer is a stream. */
  readonly stream: boolean;
}

const subscribe: RestRoute = { name: 'SubscribeToTask', message: false, stream: true };

const paths: readonly { readonly pattern: RegExp; readonly methods: RestMethods }[] = [
  { pattern: at('/message:send'), methods: { POST: { name: 'SendMessage', message: true, stream: false } } },
  { pattern: at('/message:stream'), methods: { POST: { name: 'SendStreamingMessage', message: true, stream: true } } },
  { pattern: at('/tasks'), methods: { GET: plain('ListTasks') } },
  { pattern: at('/tasks/[^/:]+'), methods: { GET: plain('GetTask') } },
  { pattern: at('/tasks/[^/:]+:cancel'), methods: { POST: plain('CancelTask') } },
  { pattern: at('/tasks/[^/:]+:subscribe'), methods: { GET: subscribe, POST: subscribe } },
  {
    pattern: at('/tasks/[^/:]+/pushNotificationConfigs'),
    methods: { GET: plain('ListTaskPushNotificationConfigs'), POST: plain('CreateTaskPushNotificationConfig') },
  },
  {
    pattern: at('/tasks/[^/:]+/pushNotificationConfigs/[^/]+'),
    methods: { GET: plain('GetTaskPushNotificationConfig'), DELETE: plain('DeleteTaskPushNotificationConfig') },
  },
  { pattern: at('/extendedAgentCard'), methods: { GET: plain('GetExtendedAgentCard') } },
];

/** The methods at a path below the binding's own, or undefined where there is nothing. A tenant may stand before it. */
export function methodsAt(path: string): RestMethods | undefined {
  return paths.find(({ pattern }) => pattern.test(path))?.methods;
}

function at(pattern: string): RegExp {
  return new RegExp(`^(?:/[^/]+)?${pattern}$`);
}

function plain(name: string): RestRoute {
  return { name, message: false, stream: false };
}
