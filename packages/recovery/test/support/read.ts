/** The chunks of a stream, and at the end what it broke off by. */
export async function read(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  try {
    for await (const chunk of stream) seen.push(chunk);
  } catch (error) {
    seen.push(error);
  }
  return seen;
}
