/** What is read of the messages, as objects with bytes as buffers and long numbers as text. */
export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values?: AnyValue[] };
}

export interface KeyValue {
  key?: string;
  value?: AnyValue;
}

export interface Span {
  name?: string;
  traceId?: Buffer;
  spanId?: Buffer;
  parentSpanId?: Buffer;
  kind?: number;
  startTimeUnixNano?: string;
  endTimeUnixNano?: string;
  attributes?: KeyValue[];
  events?: { name?: string; attributes?: KeyValue[] }[];
  links?: { traceId?: Buffer; spanId?: Buffer }[];
  status?: { code?: number };
}

export interface TraceRequest {
  resourceSpans?: { resource?: { attributes?: KeyValue[] }; scopeSpans?: { spans?: Span[] }[] }[];
}

export interface Schema {
  opentelemetry: {
    proto: {
      collector: {
        trace: {
          v1: {
            ExportTraceServiceRequest: {
              decode(body: Uint8Array): unknown;
              toObject(message: unknown, options: object): TraceRequest;
            };
          };
        };
      };
    };
  };
}
