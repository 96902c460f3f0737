/**
 * About how many tokens a text is, without a tokenizer: what tokenizers have in common is where they cut.
 *
 * They cut between letters, digits, signs and spaces, and most of what lies between two cuts is one token if it is a short word, more if it is long. So a
 * hexadecimal number, which is cut at almost every character, is told from a sentence of the same length. Meant to be rather too high; how far off it is,
 * `test/request/estimate-error.test.ts` measures against a tokenizer.
 */
import v8 from 'node:v8';

/**
 * Of a longer text only samples are looked at, spread over all of it: an estimate must not take longer than the call.
 *
 * @param text JSON, or any text. What is escaped counts as what it stands for. @param from where to begin. @param to where to end.
 */
export function countTokens(text: string, from = 0, to = text.length): number {
  const length = to - from;
  const isWritten = length <= mostWritten && write(length === text.length ? text : text.slice(from, to));
  if (length <= wholeLength) {
    return Math.ceil((isWritten ? partsOfBytes(length) : partsOfText(text, from, to)) / partsOfToken);
  }
  const samples = samplesOf(length);
  const spread = (length - sampleLength) / (samples - 1);
  let parts = 0;
  for (let sample = 0; sample < samples; sample += 2) {
    const one = Math.floor(sample * spread);
    const other = Math.floor((sample + 1) * spread);
    parts += isWritten ? partsOfTwo(one, other) : partsOfSample(text, from + one) + partsOfSample(text, from + other);
  }
  return Math.ceil(((parts / partsOfToken) * length) / (samples * sampleLength));
}

/** In characters, as are the others. Many short samples say as much of a mixed text as half as many of twice the length. */
const sampleLength = 32;
/** The longer a text, the more kinds of it there may be. */
const samplesOf = (length: number): number => (length <= longLength ? 16 : 32);
const longLength = 8_192;
const wholeLength = 2_048;

/** Texts that are as long are read out of bytes, which takes half as long as out of the text, the writing included. */
const mostWritten = 16_384;
const bytes = Buffer.allocUnsafeSlow(mostWritten);

/** Since Node 22.15. */
const { isStringOneByteRepresentation: isLatin }: Partial<typeof v8> = v8;

/** Whether a text was written. One that is not Latin is not: its characters are no bytes. */
function write(text: string): boolean {
  if (isLatin?.(text) !== true) return false;
  bytes.write(text, 'latin1');
  return true;
}

// Nothing in these is decided by where a word ends, which no processor can foresee.

function partsOfBytes(to: number): number {
  let parts = 0;
  let step = 0;
  for (let at = 0; at < to; at++) {
    step = steps[(step >>> 8) + (kinds[bytes[at] as number] as number)] as number;
    parts += step & 0xff;
  }
  return parts;
}

/** Of two samples. Each step waits for the one before, and a processor goes on with one sample while it waits for the other. */
function partsOfTwo(one: number, other: number): number {
  let parts = 0;
  let step = 0;
  let otherStep = 0;
  for (let at = 0; at < sampleLength; at++) {
    step = steps[(step >>> 8) + (kinds[bytes[(one + at) | 0] as number] as number)] as number;
    otherStep = steps[(otherStep >>> 8) + (kinds[bytes[(other + at) | 0] as number] as number)] as number;
    parts += (step & 0xff) + (otherStep & 0xff);
  }
  return parts;
}

function partsOfSample(text: string, from: number): number {
  return partsOfText(text, from, from + sampleLength);
}

function partsOfText(text: string, from: number, to: number): number {
  let parts = 0;
  let step = 0;
  for (let at = from; at < to; at++) {
    step = steps[(step >>> 8) + (kinds[text.charCodeAt(at)] as number)] as number;
    parts += step & 0xff;
  }
  return parts;
}

/** All that is counted is a whole number of these. */
const partsOfToken = 12;

const space = 0;
const lower = 1;
const upper = 2;
const digit = 3;
const sign = 4;
const near = 5;
const far = 6;
const surrogate = 7;
/** Those before this one come in runs. */
const escape = 8;
/** Letters that stand for something else behind a backslash. */
const letterN = 9;
const letterU = 10;
const kindCount = 11;

/** Of every code there is: to ask of each character what it is takes longer than all the rest. */
const kinds = new Uint8Array(0x1_0000).fill(far).fill(near, 0x80, 0x9_00).fill(surrogate, 0xd8_00, 0xe0_00);
for (let code = 0; code < 0x80; code++) kinds[code] = kindOf(String.fromCharCode(code));

function kindOf(character: string): number {
  if (character <= ' ') return space;
  if (character === '\\') return escape;
  if (character === 'n') return letterN;
  if (character === 'u') return letterU;
  if (/[a-z]/.test(character)) return lower;
  if (/[A-Z]/.test(character)) return upper;
  return /\d/.test(character) ? digit : sign;
}

/** Of so many characters of one kind. */
function tokensOf(kind: number, length: number): number {
  switch (kind) {
    case lower:
      return tokensOfWord(length);
    case upper:
      return length === 1 ? 0.75 : length / 2;
    case digit:
      return length;
    case sign:
      return length === 1 ? 1 : length / 2;
    case near:
      // Alphabets other than ours, whose words are of several tokens.
      return length * 0.75;
    case far:
      // Most scripts of Asia: about a token for each character.
      return length;
    case surrogate:
      return length * 1.5;
    default:
      // One space goes with the word behind it, and an indentation is one token.
      return length > 1 ? 1 : 0;
  }
}

/** The ends of lines go with other signs and with each other; quotes with what stands around them. */
const escapedLine = 0.75 * partsOfToken;
const escapedSign = 0.5 * partsOfToken;

/** A run that is as long grows from here on by the same with each character. */
const longRun = 16;
/** Where a run of a kind is: the first of its steps. Of length 0 there is none. */
const outside = 0;
/** Behind a backslash; after it, where so many digits of `\u` are to come. */
const escaped = escape * longRun;
const digitsOfEscape = 4;

/** How many parts a character of a kind adds, after so long a run of a kind, in the lowest eight bits; and where it leads, above them. */
const steps = new Uint32Array((escaped + 1 + digitsOfEscape) * kindCount);

for (let state = 0; state <= escaped + digitsOfEscape; state++) {
  for (let kind = 0; kind < kindCount; kind++) {
    const [parts, to] = state < escaped ? stepInRun(state, kind) : stepInEscape(state - escaped, kind);
    steps[state * kindCount + kind] = ((to * kindCount) << 8) | parts;
  }
}

function stepInRun(state: number, kindNext: number): readonly [parts: number, to: number] {
  if (kindNext === escape) return [escapedSign, escaped];
  const kind = kindNext > escape ? lower : kindNext;
  const run = state % longRun;
  const goesOn = run > 0 && Math.floor(state / longRun) === kind;
  const length = goesOn ? run + 1 : 1;
  const tokens = tokensOf(kind, length) - (goesOn ? tokensOf(kind, run) : 0);
  return [Math.round(tokens * partsOfToken), kind * longRun + Math.min(length, longRun - 1)];
}

/** @param digits that are to come of `\u`; 0 just behind the backslash. */
function stepInEscape(digits: number, kind: number): readonly [parts: number, to: number] {
  if (digits > 1) return [0, escaped + digits - 1];
  if (digits === 0 && kind === letterU) return [0, escaped + digitsOfEscape];
  return [digits === 0 && kind === letterN ? escapedLine - escapedSign : 0, outside];
}

/** Most words of up to six letters are one token. What is longer than words are is none. */
function tokensOfWord(length: number): number {
  if (length <= 6) return 1;
  return length <= 12 ? 1 + (length - 6) / 6 : 2 + (length - 12) / 2;
}
