/**
 * Who a chain of proxies says the client is.
 *
 * Each proxy adds its element at the end, so the last ones were written by one's own proxies and what stands before them anyone may have made up.
 * Elements are therefore found from the end: a quote that a client leaves open swallows nothing of what follows it.
 *
 * @see RFC 7239
 */
import { isIP } from 'node:net';

/**
 * The field that your proxies write. Only this one is read: the other one comes from the client as it likes.
 */
export type ForwardedField = 'x-forwarded-for' | 'forwarded';

/** The address in the element that the first of `proxies` trusted proxies wrote; undefined where it names none. */
export function forwardedAddress(field: ForwardedField, value: string, proxies: number): string | undefined {
  const element = elementFromEnd(value, proxies)?.trim();
  if (element === undefined) return undefined;
  return toAddress(field === 'forwarded' ? (forOf(element) ?? '') : element);
}

/** The `n`th element from the end of a list, split at commas outside of quotes. */
function elementFromEnd(value: string, n: number): string | undefined {
  let left = n;
  let end = value.length;
  let quoted = false;
  for (let i = end - 1; i >= 0; i--) {
    if (value[i] === '"' && !isEscaped(value, i)) quoted = !quoted;
    if (value[i] !== ',' || quoted) continue;
    if (--left === 0) return value.slice(i + 1, end);
    end = i;
  }
  return left === 1 ? value.slice(0, end) : undefined;
}

function isEscaped(value: string, index: number): boolean {
  let start = index;
  while (value[start - 1] === '\\') start--;
  return (index - start) % 2 === 1;
}

/** The value of the parameter `for` of an element of `Forwarded`. */
function forOf(element: string): string | undefined {
  for (const [, name = '', quoted, plain = ''] of element.matchAll(
    /\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*(?:;|$)/gy,
  )) {
    if (name.toLowerCase() === 'for') return quoted?.replaceAll(/\\(.)/g, '$1') ?? plain;
  }
  return undefined;
}

/** An address without the port that some proxies add, and without the brackets around IPv6. */
function toAddress(node: string): string | undefined {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|(\d+(?:\.\d+){3}))(?::\w+)?$/.exec(node) ?? [];
  const address = bracketed ?? dotted ?? node;
  return isIP(address) === 0 ? undefined : address;
}
