/** What handlers of the contract tests note, and what they are sent. */
import * as http from 'node:http';
import { subjects } from '../subjects.js';
import { outcomeOf, type ContractHandler, type ContractRequest, type Log, type Outcome } from './contract.js';

export const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));

export type ContractCase = [name: string, handler: ContractHandler, request?: ContractRequest];

export function note(log: Log, what: string, emitter: NodeJS.EventEmitter, names: readonly string[]): void {
  for (const name of names) {
    emitter.on(name, (argument: unknown) => {
      log.push(
        `${what} ${name}${argument instanceof Error ? ` ${String((argument as NodeJS.ErrnoException).code)}` : ''}`,
      );
    });
  }
}

export function noteAll(req: http.IncomingMessage, res: http.ServerResponse, log: Log): void {
  note(log, 'req', req, ['aborted', 'end', 'error', 'close']);
  note(log, 'res', res, ['prefinish', 'finish', 'error', 'close']);
}

export function caught(log: Log, act: () => unknown): void {
  try {
    act();
    log.push('nothing thrown');
  } catch (error) {
    log.push(`${(error as NodeJS.ErrnoException).code ?? 'no code'}: ${(error as Error).message}`);
  }
}

export function stateOf(res: http.ServerResponse): string {
  const { headersSent, writableEnded, writableFinished, destroyed, statusCode, statusMessage } = res;
  const rest = [res.writableLength, res.writableNeedDrain, res.writableCorked, res.closed, res.errored];
  return JSON.stringify([headersSent, writableEnded, writableFinished, destroyed, statusCode, statusMessage, ...rest]);
}

export function serverOf(req: http.IncomingMessage): http.Server {
  return (req.socket as typeof req.socket & { server: http.Server }).server;
}

export const POST: ContractRequest = { method: 'POST', body: 'some body' };
export const LARGE = 'x'.repeat(3_000_000);
export const BIG: ContractRequest = { method: 'POST', body: 'x'.repeat(300_000) };

/** `request.signal` is of newer nodes. */
export const hasSignal = 'signal' in http.IncomingMessage.prototype;

export function noteSignal(req: http.IncomingMessage, log: Log): void {
  const { signal } = req as http.IncomingMessage & { signal: AbortSignal };
  log.push(`aborted ${String(signal.aborted)}`);
  signal.addEventListener('abort', () => log.push('abort'));
}

/** What came of a case behind ours, and behind node's. */
export async function outcomesOf(
  transport: (typeof transports)[number],
  [, handler, request = {}]: ContractCase,
): Promise<[ours: Outcome, nodes: Outcome]> {
  const nodes = await outcomeOf('node:http', handler, request);
  return [await outcomeOf(transport, handler, request), nodes];
}
