/** What a client would rather read. */

const problemType = 'application/problem+json';

/**
 * Whether a client asks for problem details: it names `application/problem+json`, and doesn't prefer plain JSON.
 *
 * A client that takes anything gets plain JSON: who wants problem details says so.
 *
 * @param accept the value of its `Accept` field.
 * @see RFC 9110, section 12.5.1
 */
export function wantsProblem(accept: string | undefined): boolean {
  if (accept === undefined || !accept.toLowerCase().includes(problemType)) return false;
  const weights = new Map(accept.split(',').map(toRange));
  const problem = weights.get(problemType) ?? 0;
  const json = weights.get('application/json') ?? weights.get('application/*') ?? weights.get('*/*') ?? 0;
  return problem > 0 && problem >= json;
}

function toRange(text: string): [type: string, weight: number] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const q = weight === undefined ? 1 : Number(weight.slice(2));
  return [type, q >= 0 && q <= 1 ? q : 0];
}
