/** An error as data: what a classifier can read off it, and nothing that holds its library. */
export interface Shape {
  /** Name of the class. */
  readonly class: string;
  /** Members that can be written down, `name` and `message` among them. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Header fields, where a member was a `Headers`, under the name of that member. */
  readonly headers?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Members that are errors themselves: `cause`, `lastError`. */
  readonly errors?: Readonly<Record<string, Shape>>;
}

const deepest = 5;
// Of the machine or of the moment, or what a client was asked: no word about what happened.
const left = new Set([
  'stack',
  'requestBodyValues',
  'url',
  'toJSON',
  'rawResponse',
  'localPort',
  'remotePort',
  'request_id',
  'requestID',
  'socket',
  'options',
  'errors',
  'query',
  'parameters',
  'args',
  'file',
  'line',
  'routine',
  'line_number',
  'port',
  'types',
  'where',
  'detail',
  'internal_position',
  'position',
  'severity_local',
]);

export function shapeOf(error: unknown, depth = 0): Shape {
  if (typeof error !== 'object' || error === null) return { class: typeof error, members: { message: String(error) } };
  const members: Record<string, unknown> = {};
  const headers: Record<string, Record<string, string>> = {};
  const errors: Record<string, Shape> = {};
  for (const name of namesOf(error)) {
    const value = (error as Readonly<Record<string, unknown>>)[name];
    if (left.has(name) || value === undefined || typeof value === 'function' || typeof value === 'symbol') continue;
    if (value instanceof Headers) headers[name] = fieldsOf(value);
    else if (value instanceof Error || name === 'cause') {
      if (depth < deepest && value !== null) errors[name] = shapeOf(value, depth + 1);
    } else if (isData(value)) members[name] = withoutMoment(value);
  }
  return {
    class: error.constructor?.name ?? 'Object',
    members,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(Object.keys(errors).length > 0 && { errors }),
  };
}

function namesOf(error: object): readonly string[] {
  return [...new Set(['name', 'message', 'code', 'cause', ...Object.getOwnPropertyNames(error)])];
}

function fieldsOf(headers: Headers): Record<string, string> {
  const fields = Object.fromEntries(headers);
  for (const name of ['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding']) delete fields[name];
  return withoutMoment(fields) as Record<string, string>;
}

function isData(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

/** Ports and dates differ from run to run. */
function withoutMoment(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replace(/(127\.0\.0\.1|localhost|::1):\d+/g, '$1:9')
    .replace(/"date":"[^"]*"/g, '"date":"Sat, 28 Nov 2026 00:00:00 GMT"');
  return JSON.parse(text) as unknown;
}
