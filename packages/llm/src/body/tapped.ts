/**
 * A response whose body is heard while it is read. It stays the response that it was: no other one is made, and no stream unless somebody asks for one, since
 * those cost more than all else that is done around a call.
 */
import { PlainReader, type Whole } from './answer-reader.ts';
import { Exchange } from './exchange.ts';
import { parseJson } from './json-text.ts';
import { type Read, Relay } from './relay.ts';
import { relayed } from './relayed.ts';

/** @param exchange that has the body of this response. */
export function tapped(response: Response, exchange: Exchange): Response {
  if (exchange.isEmpty) return response;
  const like = likeOf(response);
  if (like === undefined || !Reflect.setPrototypeOf(response, like)) return relayed(response, exchange.relay());
  const tap = new Tap(response, exchange);
  (response as Heard)[tapOf] = tap;
  exchange.endsWith(tap);
  return response;
}

const tapOf = Symbol('sage-adk:tap');

interface Heard extends Response {
  [tapOf]: Tap;
}

/** The consumer's side of an exchange: what a response has in common with its body. */
class Tap {
  /** Lives as long as this: fetch lets go of the body of a response that was collected. */
  readonly #response: Response;
  /** Let go of once all was read: fetch has the collector watch the response, and what is watched outlives all small collections. */
  #exchange: Exchange;
  #relay: Relay<Uint8Array> | undefined;
  /** Has the body since it was cloned. */
  #other: Response | undefined;

  constructor(response: Response, exchange: Exchange) {
    this.#response = response;
    this.#exchange = exchange;
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

  /** A response with the same bytes at hand. */
  whole(): Promise<Response> {
    if (this.#other !== undefined) return Promise.resolve(this.#other);
    const { headers } = this.#response;
    return this.#read(asBytes, ({ bytes }) => new Response(bytes as Uint8Array<ArrayBuffer>, { headers }));
  }

  clone(): Response {
    if (this.#other !== undefined) return this.#other.clone();
    if (this.#isTaken()) throw new TypeError('Response.clone: Body has already been consumed.');
    const [own, cloned] = this.#stream.tee();
    this.#other = relayed(this.#response, own);
    return relayed(this.#response, cloned);
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

const members: PropertyDescriptorMap = {
  body: accessor((tap) => tap.body),
  bodyUsed: accessor((tap) => tap.bodyUsed),
  text: method((tap) => tap.text()),
  json: method((tap) => tap.json()),
  bytes: fromWhole('bytes'),
  arrayBuffer: fromWhole('arrayBuffer'),
  blob: fromWhole('blob'),
  formData: fromWhole('formData'),
  clone: method((tap) => tap.clone()),
};

/** Seldom asked for: left to a response that has the bytes. */
function fromWhole(name: 'bytes' | 'arrayBuffer' | 'blob' | 'formData'): PropertyDescriptor {
  return method(async (tap) => (await tap.whole())[name]());
}

function accessor(read: (tap: Tap) => unknown): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: true,
    get(this: Heard): unknown {
      return read(this[tapOf]);
    },
  };
}

function method(call: (tap: Tap) => unknown): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: true,
    writable: true,
    value(this: Heard): unknown {
      return call(this[tapOf]);
    },
  };
}

/** The class of nearly all responses, and the one that is heard in place of it. */
const standard = Response.prototype;
const heardStandard = heardLike(standard);
/** Those of all others. */
const heard = new WeakMap<object, object>();

/** The class of this response, as one that is heard; undefined where not all it says comes from its class, so that no other could say it, or where it is heard already. */
function likeOf(response: Response): object | undefined {
  // The class is asked for right behind this: V8 then knows it without asking.
  if ((response as Partial<Heard>)[tapOf] !== undefined) return undefined;
  const prototype = Object.getPrototypeOf(response) as Response;
  if (Object.hasOwn(response, 'body')) return undefined;
  if (prototype === standard) return heardStandard;
  if (!(response instanceof Response)) return undefined;
  let like = heard.get(prototype);
  if (like === undefined) heard.set(prototype, (like = heardLike(prototype)));
  return like;
}

function heardLike(prototype: object): object {
  return Object.create(prototype, members) as object;
}
