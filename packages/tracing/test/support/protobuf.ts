/**
 * Reads the protobuf wire format, knowing nothing of OpenTelemetry's own encoder.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export type Field = bigint | Uint8Array;

/** The fields of a message by number, each with its values in order: varint and fixed as bigint, the rest as bytes. */
export function readMessage(bytes: Uint8Array): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the message is cut off');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const read = (wireType: number): Field => {
    if (wireType === 0) return varint();
    if (wireType === 1) return view.getBigUint64((at += 8) - 8, true);
    if (wireType === 5) return BigInt(view.getUint32((at += 4) - 4, true));
    if (wireType !== 2) throw new Error(`wire type ${wireType} is not expected`);
    const length = Number(varint());
    if (at + length > bytes.length) throw new Error('the message is cut off');
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = key >>> 3;
    fields.set(number, [...(fields.get(number) ?? []), read(key & 7)]);
  }
  return fields;
}

export function messages(fields: Map<number, Field[]>, number: number): Map<number, Field[]>[] {
  return (fields.get(number) ?? []).map((field) => readMessage(asBytes(field)));
}

export function text(fields: Map<number, Field[]>, number: number): string {
  return Buffer.from(bytesOf(fields, number)).toString('utf8');
}

export function hex(fields: Map<number, Field[]>, number: number): string {
  return Buffer.from(bytesOf(fields, number)).toString('hex');
}

export function integer(fields: Map<number, Field[]>, number: number): bigint {
  const [field = 0n] = fields.get(number) ?? [];
  if (typeof field !== 'bigint') throw new Error(`field ${number} is no number`);
  return field;
}

function bytesOf(fields: Map<number, Field[]>, number: number): Uint8Array {
  const [field] = fields.get(number) ?? [];
  return field === undefined ? new Uint8Array() : asBytes(field);
}

function asBytes(field: Field): Uint8Array {
  if (typeof field === 'bigint') throw new Error('not a length-delimited field');
  return field;
}
