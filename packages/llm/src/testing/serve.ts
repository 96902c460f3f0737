import { latency, send, type Stage } from './exchange.ts';
import type { ReadRequest } from './read-request.ts';
import type { Billed, ReceivedRequest, RequestOutcome, Writable } from './received-request.ts';
import { problemReply, type Reply, replyOf } from './reply.ts';
import type { Session } from './session.ts';
import { wireFormats } from './wire/index.ts';

type Settled = Exclude<RequestOutcome, 'open'>;

/** The reason with which this side ends what is open. */
export const closing = Symbol('closing');

/** Answers one request and enters how that went; never rejects. */
export async function serve(read: ReadRequest, session: Session, stage: Stage): Promise<void> {
  const { request, json } = read;
  const format = wireFormats.find((candidate) => candidate.fits(request));
  const question = format?.ask(request);
  const record = session.receive({
    method: request.method,
    path: request.path,
    query: request.query,
    headers: request.headers,
    body: json,
    provider: format?.provider,
    api: format?.api,
    model: question?.model,
    streamed: question?.stream ?? false,
    attempt: attemptOf(request.headers['x-stainless-retry-count']),
  });
  const prepare = async (): Promise<Reply> => {
    const behaviour = await session.decide(record);
    if (read.problem !== undefined) return problemReply(read.problem);
    if (format === undefined || question === undefined)
      return problemReply({ status: 404, message: `Invalid URL (${request.method} ${request.path})` });
    return replyOf({ behaviour, format, request, question, serial: record.serial, nowMs: stage.clock.now() });
  };
  // A rule that throws must be seen in the test that has it, not in a log of this server.
  const reply = await prepare().catch((error: unknown) =>
    problemReply({ status: 400, message: `The faulty provider could not answer: ${String(error)}` }),
  );
  const outcome = await perform(reply, record, stage);
  session.settle(record, outcome, format?.free ? undefined : billedOf(reply, record, outcome));
}

async function perform(reply: Reply, record: Writable<ReceivedRequest>, stage: Stage): Promise<Settled> {
  const behaviour = reply.ownWords ? {} : record.behaviour;
  try {
    if (behaviour.hangUp) {
      stage.response.destroy();
      return 'cut';
    }
    await latency(behaviour, stage);
    record.status = reply.status;
    const ending = await send(reply, { behaviour, progress: record }, stage);
    if (reply.answer === undefined) return 'refused';
    return ending === 'end' ? 'answered' : 'cut';
  } catch {
    // A write may fail before the connection is seen to close: unless this side ended it, the client did.
    stage.response.destroy();
    return stage.signal.reason === closing ? 'cut' : 'aborted';
  }
}

/** As providers do: what was made of a stream until it ended; all of an answer that is made before it is sent. */
function billedOf(
  { answer, streamed }: Reply,
  { status, contents, behaviour }: ReceivedRequest,
  outcome: Settled,
): Billed {
  if (answer === undefined || status === undefined) return { inputTokens: 0, outputTokens: 0 };
  const { inputTokens, outputTokens } = answer.usage;
  if (outcome === 'answered' || !streamed) return { inputTokens, outputTokens };
  return { inputTokens, outputTokens: behaviour.endless ? contents : Math.min(contents, outputTokens) };
}

function attemptOf(field: string | string[] | undefined): number | undefined {
  return typeof field === 'string' && /^\d{1,3}$/.test(field) ? Number(field) + 1 : undefined;
}
