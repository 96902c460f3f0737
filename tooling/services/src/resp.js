// As much of the Redis protocol as bringing up a server needs: one command, one answer, one connection.
import { connect } from 'node:net';

/** @typedef {string | number | null | Reply[]} Reply */

const answerMs = 1_000;

/**
 * Sends one command and returns its answer.
 * @param {number} port On 127.0.0.1.
 * @param {...(string | number)} words
 * @returns {Promise<Reply>}
 * @throws Error when the server answers with an error, not at all within 1 s, or cannot be reached.
 */
export function redisCommand(port, ...words) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    /** @type {(settle: () => void) => void} */
    const finish = (settle) => {
      socket.destroy();
      settle();
    };
    let received = '';
    socket.setEncoding('latin1');
    socket.setTimeout(answerMs, () => finish(() => reject(new Error('no answer'))));
    socket.once('error', (error) => finish(() => reject(error)));
    socket.once('close', () => reject(new Error('connection closed')));
    socket.on('data', (chunk) => {
      received += chunk;
      const parsed = parse(received, 0);
      if (!parsed) return;
      finish(() => (parsed.value instanceof Error ? reject(parsed.value) : resolve(parsed.value)));
    });
    socket.write(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(`${word}`)}\r\n${word}\r\n`).join('')}`,
    );
  });
}

/**
 * The reply at an offset, or undefined while it is incomplete.
 * @param {string} text
 * @param {number} at
 * @returns {{ value: Reply | Error, next: number } | undefined}
 */
function parse(text, at) {
  const end = text.indexOf('\r\n', at);
  if (end === -1) return undefined;
  const line = text.slice(at + 1, end);
  const next = end + 2;
  switch (text.charAt(at)) {
    case '+':
      return { value: line, next };
    case '-':
      return { value: new Error(line), next };
    case ':':
      return { value: Number(line), next };
    case '$':
      return parseBulk(text, Number(line), next);
    case '*':
      return parseArray(text, Number(line), next);
    default:
      return { value: new Error(`not a Redis reply: ${line}`), next };
  }
}

/** @type {(text: string, length: number, at: number) => ReturnType<typeof parse>} */
function parseBulk(text, length, at) {
  if (length < 0) return { value: null, next: at };
  const next = at + length + 2;
  return text.length < next ? undefined : { value: text.slice(at, at + length), next };
}

/** @type {(text: string, length: number, at: number) => ReturnType<typeof parse>} */
function parseArray(text, length, at) {
  if (length < 0) return { value: null, next: at };
  /** @type {Reply[]} */
  const values = [];
  let next = at;
  for (let index = 0; index < length; index += 1) {
    const item = parse(text, next);
    if (!item || item.value instanceof Error) return item;
    values.push(item.value);
    next = item.next;
  }
  return { value: values, next };
}
