/**
 * A response whose body is heard while it is read. It stays the response that it was: no other one is made, and no stream unless somebody asks for one, since
 * those cost more than all else that is done around a call.
 */
import type { Whole } from './answer-reader.ts';
import type { Exchange } from './exchange.ts';
import { parseJson } from './json-text.ts';
import { Relay } from './relay.ts';
import { relayed } from './relayed.ts';

/** @param exchange that has the body of this response. */
export function tapped(response: Response, exchange: Exchange): Response {
  if (response.body === null) return response;
  if (!isPlain(response)) return relayed(response, exchange.relay());
  const tap = new Tap(response, exchange);
  exchange.endsWith(tap);
  (response as Heard)[tapOf] = tap;
  Object.setPrototypeOf(response, heardLike(Object.getPrototypeOf(response) as object));
  return response;
}

const tapOf = Symbol('sage-adk:tap');

interface Heard extends Response {
  [tapOf]: Tap;
}

/** Whether all it says comes from its class, so that another can say it; and nobody hears it already. */
function isPlain(response: Response): boolean {
  return (
    response instanceof Response &&
    !(tapOf in response) &&
    Object.isExtensible(response) &&
    !Object.hasOwn(response, 'body')
  );
}

/** The consumer's side of an exchange: what a response has in common with its body. */
class Tap {
  /** Lives as long as this: fetch lets go of the body of a response that was collected. */
  readonly #response: Response;
  readonly #exchange: Exchange;
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

  async text(): Promise<string> {
    return this.#other === undefined ? withoutMark((await this.#read(false)).text) : this.#other.text();
  }

  async json(): Promise<unknown> {
    if (this.#other !== undefined) return this.#other.json();
    const { text, json } = await this.#read(true);
    return json === undefined ? (JSON.parse(withoutMark(text)) as unknown) : json;
  }

  /** A response with the same bytes at hand. */
  async whole(): Promise<Response> {
    if (this.#other !== undefined) return this.#other;
    const bytes = joined(await this.#take((pieces) => ({ bytes: joined(pieces) })));
    this.#exchange.readWhole(() => bytes.toString());
    return new Response(bytes, { headers: this.#response.headers });
  }

  clone(): Response {
    if (this.#other !== undefined) return this.#other.clone();
    if (this.#isTaken) throw new TypeError('Response.clone: Body has already been consumed.');
    const [own, cloned] = this.#stream.tee();
    this.#other = relayed(this.#response, own);
    return relayed(this.#response, cloned);
  }

  get #stream(): ReadableStream<Uint8Array> {
    return (this.#relay ??= new Relay(this.#exchange, this));
  }

  get #isTaken(): boolean {
    return this.#exchange.isDisturbed || this.#relay?.locked === true;
  }

  async #read(isParsed: boolean): Promise<Said> {
    let said: Said | undefined;
    const pieces = await this.#take((all) => {
      said = saidIn(all);
      // Whoever wants it parsed need not do it again.
      if (isParsed) said = { ...said, json: parseJson(withoutMark(said.text)) };
      return said;
    });
    const all = said ?? saidIn(pieces);
    this.#exchange.readWhole(() => all.text);
    return all;
  }

  /** From here on nobody else may read. */
  #take(join: (pieces: readonly Uint8Array[]) => Whole): Promise<Uint8Array[]> {
    if (this.#isTaken) throw new TypeError('Body is unusable: Body has already been read');
    this.#relay?.getReader();
    return this.#exchange.readAll(join);
  }
}

interface Said extends Whole {
  readonly text: string;
}

function saidIn(pieces: readonly Uint8Array[]): Said {
  const bytes = joined(pieces);
  return { bytes, text: bytes.toString() };
}

function joined(pieces: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const [first] = pieces;
  if (first === undefined || pieces.length > 1) return Buffer.concat(pieces);
  return Buffer.from(first.buffer as ArrayBuffer, first.byteOffset, first.byteLength);
}

/** As the standard decodes: without the mark of the byte order. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfe_ff ? text.slice(1) : text;
}

const heard = new WeakMap<object, object>();

/** A class of responses that are heard, for each class of responses. */
function heardLike(prototype: object): object {
  let like = heard.get(prototype);
  if (like === undefined) heard.set(prototype, (like = Object.create(prototype, members) as object));
  return like;
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
