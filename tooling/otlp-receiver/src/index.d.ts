import type { IncomingHttpHeaders } from 'node:http';

export interface ReceivedEvent {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface ReceivedSpan {
  /** `service.name` of the resource. */
  readonly service: unknown;
  readonly name: string;
  /** Hexadecimal, as are the other ids; '' where there is none. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly ReceivedEvent[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
}

export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  readonly spans: ReceivedSpan[];
}

/**
 * A collector on a loopback port that decodes what it is sent by the published schema of OTLP, with code generated from it and protobufjs.
 *
 * @param status what it answers; spans are only taken with 200. @default 200
 */
export function startOtlpReceiver(status?: number): Promise<OtlpReceiver>;
