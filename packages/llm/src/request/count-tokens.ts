/**
 * About how many tokens a text is, without a tokenizer: what tokenizers have in common is where they cut.
 *
 * They cut between letters, digits, signs and spaces, and most of what lies between two cuts is one token if it is a short word, more if it is long. So a
 * hexadecimal number, which is cut at almost every character, is told from a sentence of the same length. Meant to be rather too high; how far off it is,
 * `test/request/estimate-error.test.ts` measures against a tokenizer.
 */

/**
 * Of a longer text only samples are looked at, spread over all of it: an estimate must not take longer than the call.
 *
 * @param text JSON, or any text. What is escaped counts as what it stands for. @param from where to begin. @param to where to end.
 */
export function countTokens(text: string, from = 0, to = text.length): number {
  const length = to - from;
  if (length <= wholeLength) return Math.ceil(countAll(text, from, to));
  let tokens = 0;
  for (let sample = 0; sample < samples; sample++) {
    const start = from + Math.floor((sample * (length - sampleLength)) / (samples - 1));
    tokens += countAll(text, start, start + sampleLength);
  }
  return Math.ceil((tokens * length) / (samples * sampleLength));
}

/** In characters, as are the others. Many short samples say as much of a mixed text as half as many of twice the length. */
const sampleLength = 32;
const samples = 32;
const wholeLength = 2_048;

function countAll(text: string, from: number, to: number): number {
  let parts = 0;
  let state = outside;
  for (let at = from; at < to; at++) {
    const kind = kindOf(text.charCodeAt(at));
    if (kind === escape) {
      const code = text.charCodeAt(++at);
      // \u and four digits; any other escape is one character.
      if (code === letterU) at += 4;
      parts += code === letterN ? escapedLine : escapedSign;
      state = outside;
      continue;
    }
    // Nothing here is decided by where a word ends, which no processor can foresee.
    const step = state + kind;
    parts += added[step] as number;
    state = next[step] as number;
  }
  return parts / partsOfToken;
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
const escape = 8;

/** The ends of lines go with other signs and with each other; quotes with what stands around them. */
const escapedLine = 0.75 * partsOfToken;
const escapedSign = 0.5 * partsOfToken;
const letterU = 0x75;
const letterN = 0x6e;
const backslash = 0x5c;

/** Of ASCII. */
const kinds = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code === backslash) return escape;
  const character = String.fromCharCode(code);
  if (code <= 0x20) return space;
  if (/[a-z]/.test(character)) return lower;
  if (/[A-Z]/.test(character)) return upper;
  return /\d/.test(character) ? digit : sign;
});

function kindOf(code: number): number {
  if (code < 128) return kinds[code] as number;
  if (code < 0x900) return near;
  return code >= 0xd800 && code <= 0xdfff ? surrogate : far;
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

/** Escapes stand outside of all runs. */
const kindCount = escape;
/** A run that is as long grows from here on by the same with each character. */
const longRun = 16;
/** Where a run of a kind is: the first of its steps. Of length 0 there is none. */
const outside = 0;

/** How many parts a character of a kind adds, after so long a run of a kind; and where it leads. */
const added = new Uint8Array(kindCount * longRun * kindCount);
const next = new Uint16Array(added.length);

for (let state = 0; state < kindCount * longRun; state++) {
  const run = state % longRun;
  for (let kind = 0; kind < kindCount; kind++) {
    const goesOn = run > 0 && Math.floor(state / longRun) === kind;
    const length = goesOn ? run + 1 : 1;
    const step = state * kindCount + kind;
    added[step] = Math.round((tokensOf(kind, length) - (goesOn ? tokensOf(kind, run) : 0)) * partsOfToken);
    next[step] = (kind * longRun + Math.min(length, longRun - 1)) * kindCount;
  }
}

/** Most words of up to six letters are one token. What is longer than words are is none. */
function tokensOfWord(length: number): number {
  if (length <= 6) return 1;
  return length <= 12 ? 1 + (length - 6) / 6 : 2 + (length - 12) / 2;
}
