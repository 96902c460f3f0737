/**
 * The schema comes from a release of OpenTelemetry's transformer that still carried the classes pbjs made from the official .proto files. The exporters under test
 * have an encoder of their own since.
 */
import { createServer } from 'node:http';
import root from '@opentelemetry/otlp-transformer/build/src/generated/root.js';

/** @typedef {import('./index.d.ts').ReceivedSpan} ReceivedSpan */

const { ExportTraceServiceRequest } = /** @type {import('./schema.d.ts').Schema} */ (/** @type {unknown} */ (root))
  .opentelemetry.proto.collector.trace.v1;

/** @type {typeof import('./index.d.ts').startOtlpReceiver} */
export async function startOtlpReceiver(status = 200) {
  /** @type {import('./index.d.ts').OtlpReceiver['requests']} */
  const requests = [];
  /** @type {ReceivedSpan[]} */
  const spans = [];
  const server = createServer((request, response) => {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers });
      if (status === 200) spans.push(...spansOf(Buffer.concat(chunks)));
      response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    spans,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * @param {Buffer} body
 * @returns {ReceivedSpan[]}
 */
function spansOf(body) {
  const message = ExportTraceServiceRequest.decode(body);
  const { resourceSpans = [] } = ExportTraceServiceRequest.toObject(message, { longs: String, bytes: Buffer });
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = attributesOf(resource?.attributes)['service.name'];
    return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => spanOf(span, service)));
  });
}

/**
 * @param {import('./schema.d.ts').Span} span
 * @param {unknown} service
 * @returns {ReceivedSpan}
 */
function spanOf(span, service) {
  return {
    service,
    name: span.name ?? '',
    ...idsOf(span),
    parentSpanId: span.parentSpanId?.toString('hex') ?? '',
    kind: span.kind ?? 0,
    startNs: BigInt(span.startTimeUnixNano ?? 0),
    endNs: BigInt(span.endTimeUnixNano ?? 0),
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map(({ name = '', attributes }) => ({ name, attributes: attributesOf(attributes) })),
    links: (span.links ?? []).map(idsOf),
    statusCode: span.status?.code ?? 0,
  };
}

/** @param {{ traceId?: Buffer, spanId?: Buffer }} ids */
function idsOf({ traceId, spanId }) {
  return { traceId: traceId?.toString('hex') ?? '', spanId: spanId?.toString('hex') ?? '' };
}

/**
 * @param {import('./schema.d.ts').KeyValue[]} [attributes]
 * @returns {Record<string, unknown>}
 */
function attributesOf(attributes = []) {
  return Object.fromEntries(attributes.map(({ key = '', value }) => [key, valueOf(value)]));
}

/**
 * @param {import('./schema.d.ts').AnyValue} [value]
 * @returns {unknown}
 */
function valueOf({ stringValue, boolValue, intValue, doubleValue, arrayValue } = {}) {
  if (arrayValue !== undefined) return (arrayValue.values ?? []).map(valueOf);
  return intValue === undefined ? (stringValue ?? boolValue ?? doubleValue) : Number(intValue);
}
