import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly events: readonly string[];
}

/** An OTLP collector on loopback that keeps what it is sent. */
export interface Collector {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      spans.push(...spansIn(Buffer.concat(chunks)));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** @see opentelemetry-proto: collector/trace/v1/trace_service.proto, trace/v1/trace.proto */
function spansIn(request: Buffer): readonly ReceivedSpan[] {
  return all(request, 1)
    .flatMap((resourceSpans) => all(resourceSpans, 2))
    .flatMap((scopeSpans) => all(scopeSpans, 2))
    .map((span) => ({
      traceId: bytes(span, 1).toString('hex'),
      spanId: bytes(span, 2).toString('hex'),
      parentSpanId: bytes(span, 4).toString('hex'),
      name: bytes(span, 5).toString(),
      attributes: Object.fromEntries(
        all(span, 9).map((entry) => [bytes(entry, 1).toString(), valueIn(bytes(entry, 2))]),
      ),
      events: all(span, 11).map((event) => bytes(event, 2).toString()),
    }));
}

function valueIn(value: Buffer): string | number | boolean {
  const [field] = fieldsOf(value);
  switch (field?.number) {
    case 1:
      return field.bytes.toString();
    case 2:
      return field.varint === 1n;
    case 3:
      return Number(field.varint);
    case 4:
      return field.bytes.readDoubleLE();
    default:
      return '';
  }
}

function all(message: Buffer, number: number): readonly Buffer[] {
  return fieldsOf(message)
    .filter((field) => field.number === number)
    .map((field) => field.bytes);
}

function bytes(message: Buffer, number: number): Buffer {
  return all(message, number)[0] ?? Buffer.alloc(0);
}

interface Field {
  readonly number: number;
  readonly varint: bigint;
  readonly bytes: Buffer;
}

/** @see https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const kind = tag & 7;
    const value = kind === 0 || kind === 2 ? varint() : 0n;
    const length = kind === 0 ? 0 : kind === 1 ? 8 : kind === 5 ? 4 : Number(value);
    fields.push({ number: tag >> 3, varint: value, bytes: message.subarray(at, at + length) });
    at += length;
  }
  return fields;
}
