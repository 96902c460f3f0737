/**
 * A response whose body is heard while it is read. Neither is the body put into a new response, nor a stream made unless somebody asks for one: those cost more
 * than all else that is done around a call; to give the fetched response another class was seen to cost a tenth of that.
 */
import { PlainReader, type Whole } from './answer-reader.ts';
import { Exchange } from './exchange.ts';
import { parseJson } from './json-text.ts';
import { type Read, Relay } from './relay.ts';
import { relayed } from './relayed.ts';

/** @param exchange that has the body of this response. */
export function tapped(response: Response, exchange: Exchange): Response {
  if (exchange.isEmpty) return response;
  const heard = new HeardResponse(response, exchange);
  exchange.endsWith(heard);
  return heard;
}

/** Says what the response says, and hands out its body. */
class HeardResponse implements Response {
  /** Lives as long as this: fetch lets go of the body of a response that was collected. */
  readonly #response: Response;
  /** Let go of once all was read: fetch has the collector watch the response, and what is watched outlives all small collections. */
  #exchange: Exchange;
  #relay: Relay<Uint8Array> | undefined;
  /** Has the body since it was cloned. */
  #other: Response | undefined;

  // Whoever asks is told that it is a response, and finds what else those have.
  static {
    Object.setPrototypeOf(this.prototype, Response.prototype);
    Object.defineProperty(this.prototype, 'constructor', { value: Response });
  }

  constructor(response: Response, exchange: Exchange) {
    this.#response = response;
    this.#exchange = exchange;
  }

  get status(): number {
    return this.#response.status;
  }

  get statusText(): string {
    return this.#response.statusText;
  }

  get ok(): boolean {
    return this.#response.ok;
  }

  get headers(): Headers {
    return this.#response.headers;
  }

  get url(): string {
    return this.#response.url;
  }

  get redirected(): boolean {
    return this.#response.redirected;
  }

  get type(): Response['type'] {
    return this.#response.type;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#other === undefined ? this.#stream : this.#other.body;
  }

  get bodyUsed(): boolean {
    return this.#other?.bodyUsed ?? this.#exchange.isDisturbed;
  }

  text(): Promise<string> {
    return this.#other === undefined ? this.#read(asText, textOf) : this.#other.text();
  }

  json(): Promise<unknown> {
    return this.#other === undefined ? this.#read(asJson, jsonOf) : this.#other.json();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#as('bytes');
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#as('arrayBuffer');
  }

  blob(): Promise<Blob> {
    return this.#as('blob');
  }

  formData(): Promise<FormData> {
    return this.#as('formData');
  }

  clone(): Response {
    if (this.#other !== undefined) return this.#other.clone();
    if (this.#isTaken()) throw new TypeError('Response.clone: Body has already been consumed.');
    const [own, cloned] = this.#stream.tee();
    this.#other = relayed(this.#response, own);
    return relayed(this.#response, cloned);
  }

  /** Seldom asked for: left to a response with the same bytes at hand. */
  async #as<W extends keyof Seldom>(way: W): Promise<Seldom[W]> {
    const whole = this.#other ?? (await this.#read(asBytes, ({ bytes }) => this.#withBytes(bytes)));
    return whole[way]() as Promise<Seldom[W]>;
  }

  #withBytes(bytes: Uint8Array): Response {
    return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: this.#response.headers });
  }

  get #stream(): ReadableStream<Uint8Array> {
    return (this.#relay ??= new Relay(this.#exchange, this));
  }

  #isTaken(): boolean {
    return this.#exchange.isDisturbed || this.#relay?.locked === true;
  }

  /** Reads all of it, as `say` makes it of the pieces, and gives what `give` makes of that. It is one function, since each that waits costs as much as all it does. */
  async #read<T>(say: (pieces: readonly Uint8Array[]) => Whole, give: (whole: Whole) => T): Promise<T> {
    if (this.#isTaken()) throw new TypeError('Body is unusable: Body has already been read');
    // From here on nobody else may read.
    this.#relay?.getReader();
    const exchange = this.#exchange;
    const pieces: Uint8Array[] = [];
    let whole = exchange.begin(pieces, say);
    while (whole === undefined) {
      let read: Read<Uint8Array>;
      try {
        read = await exchange.ask();
      } catch (error) {
        throw exchange.broke(error);
      }
      whole = exchange.gather(read, pieces, say);
    }
    this.#exchange = over;
    return give(whole);
  }
}

interface Seldom {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly arrayBuffer: ArrayBuffer;
  readonly blob: Blob;
  readonly formData: FormData;
}

/** Of all bodies that were read. */
const over = new Exchange<Uint8Array>({ body: null, reader: new PlainReader(), failure: () => undefined });
over.isDisturbed = true;

function asBytes(pieces: readonly Uint8Array[]): Whole {
  return { bytes: joined(pieces) };
}

function asText(pieces: readonly Uint8Array[]): Whole {
  const bytes = joined(pieces);
  return { bytes, text: decoder.decode(bytes) };
}

/** Whoever wants it parsed need not do it again. */
function asJson(pieces: readonly Uint8Array[]): Whole {
  const bytes = joined(pieces);
  const text = decoder.decode(bytes);
  return { bytes, text, json: parseJson(withoutMark(text)) };
}

function textOf({ text = '' }: Whole): string {
  return withoutMark(text);
}

/** Parses what is none once more, for the error that says so. */
function jsonOf({ text = '', json }: Whole): unknown {
  return json === undefined ? (JSON.parse(withoutMark(text)) as unknown) : json;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return first === undefined || pieces.length > 1 ? Buffer.concat(pieces) : first;
}

/** Leaves the mark of the byte order where it is: it is a part of what was said. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** As the standard decodes: without the mark of the byte order. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfe_ff ? text.slice(1) : text;
}
