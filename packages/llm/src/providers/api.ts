import type { Usage } from '@sage-adk/core';
import type { AnswerPlaces } from '../body/answer-shape.ts';
import type { Key } from '../body/json-text.ts';
import type { RequestPlaces } from '../request/request-shape.ts';

/** What is known of one API of one provider: its paths, and where requests and answers say what. */
export interface Api {
  /** As PricePort and metrics know it. */
  readonly provider: string;
  /** Bounded, for labels. */
  readonly name: string;
  /** Whether a path is of this API, whatever the host: proxies and gateways keep the paths. */
  detect(path: string): Endpoint | undefined;
  readonly request: RequestShape;
  /** Fields of a request by which its answer differs. */
  readonly answerHeaders?: readonly string[];
  readonly answer: AnswerShape;
  /** Reads the events of one stream; missing where the API has none. @param choices answers that were asked for. */
  readStream?(choices: number): StreamReader;
}

/** What a path says; where it is silent, the body of the request does. */
export interface Endpoint {
  readonly model?: string;
  readonly stream?: boolean;
}

/** Where a request says what. Names with a dot are of a member within a member. */
export interface RequestNames {
  /** Most output tokens; the first that is there counts. Empty where it cannot be said. */
  readonly maxOutputTokens: readonly string[];
  /** Whether no output is made that is counted. */
  readonly hasNoOutput?: true;
  /** The fewest that it may be. @default 1 */
  readonly leastOutputTokens?: number;
  /** What of it is for thinking: it has to be more than that. */
  readonly thinkingTokens?: string;
  /** Which of those to set where there is none. @default 0, the first */
  readonly capFor?: (model: string) => number;
  /** How many answers are wanted at once; each may take all the output tokens. */
  readonly choices?: readonly string[];
  /** What may be a list of prompts, of which each is answered. */
  readonly prompts?: string;
  /** Tokens that are made of a text for each that others make of it. @default 1 */
  readonly tokenMargin?: number;
  /** Whether usage comes in streams only where the request asks for it. */
  readonly usageOnRequest?: true;
}

/** The same, with where to look for it. */
export interface RequestShape extends RequestNames {
  readonly places: RequestPlaces;
}

/** Where an answer that is JSON says what. Names of members are joined by dots; elements of an array stand where the array does. */
export interface AnswerNames {
  readonly usage: string;
  /** All that is read of the usage, in the order in which it mostly comes. */
  readonly counts: readonly string[];
  readonly model: string;
  /** The first that is there counts. */
  readonly finishReason: readonly string[];
  /** Reads the member at `usage`; undefined where it is not a usage. */
  readonly usageOf: (usage: unknown) => Usage | undefined;
}

/** The same, with where to look for it. */
export interface AnswerShape extends AnswerNames {
  readonly places: AnswerPlaces;
}

/** What an answer said of itself, so far. */
export interface AnswerFacts {
  readonly usage?: Usage | undefined;
  readonly model?: string | undefined;
  readonly finishReason?: string | undefined;
}

/**
 * What an event is: a piece of the answer; the usage that we asked for and the client did not; the end of a whole answer; an error.
 * Undefined for all others.
 */
export type EventKind = 'content' | 'extra' | 'end' | 'error' | undefined;

/** Follows the events of one stream. It keeps the few that matter and parses them when somebody asks. */
export interface StreamReader {
  /** @param type the name of the event, empty where it has none. @param data its data, each character a byte. */
  read(type: string, data: string): EventKind;
  /** The name of the text that is all that this event says, where it is content; undefined where it says anything else. */
  pieceIn?(data: string): Key | undefined;
  /** Names of values that differ from event to event and mean nothing: numbers of events, and what hides how long a text is. */
  readonly noise?: readonly Key[];
  /** Whether the model said that it is done, even if the stream goes on. */
  readonly finished: boolean;
  /** Bytes of the pieces of the answer so far. */
  readonly contentBytes: number;
  facts(): AnswerFacts;
}
