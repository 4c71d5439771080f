/** Runs a program: connects its ends, takes its steps, lets everybody read and end, and looks at what became of it. */
import { join } from 'node:path';
import { Channel, ChannelServer, type ConnectTarget } from 'nearwire/channel';
import { nextTurn } from '../sockets.js';
import { End } from './end.js';
import { tellProgram, type Program, type Step } from './program.js';
import { World, type ModelFile } from './world.js';

/** Nothing waits for so long, on the slowest of machines, unless for ever. */
export const PATIENCE = 30_000;

export interface Surroundings {
  /** For sockets. */
  directory: string;
  file: ModelFile;
  /** Messages of uncaught exceptions since this was called last. */
  takeUncaught(): string[];
}

/** Resolves if all went as it should; else fails, and tells of the program. */
export async function runProgram(program: Program, { directory, file, takeUncaught }: Surroundings): Promise<void> {
  const world = new World(program, file);
  const ends: End[] = [];
  program.behaviours.forEach((_, number) => ends.push(new End(world, ends, number)));
  ends.forEach((end, number) => (end.peer = ends[number ^ 1] as End));
  const servers: ChannelServer[] = [];
  const patience = setTimeout(() => {
    const open = ends.filter(({ isClosed }) => !isClosed).map(({ name }) => name);
    world.fail(`nothing happens any more; open: ${open.join(', ')}`);
  }, PATIENCE);
  try {
    for (let number = 0; number < ends.length; number += 2) {
      servers.push(
        await connect(world, ends[number] as End, join(directory, `${String(program.seed)}-${String(number)}`)),
      );
    }
    await world.until(() => ends.every(({ isConnected, isClosed }) => isConnected || isClosed));
    for (const step of program.steps) if (world.failure === undefined) await take(step, ends[step.end] as End);
    await finish(world, ends);
    // Callbacks of files come a tick behind onClose.
    await nextTurn();
    if (world.failure === undefined) for (const end of ends) end.checkAfterwards();
    const uncaught = takeUncaught();
    if (uncaught.join() !== world.thrown.join()) {
      world.fail(`uncaught: ${uncaught.join()}\n  thrown: ${world.thrown.join()}`);
    }
  } finally {
    clearTimeout(patience);
    for (const server of servers) server.close();
    // Some may not have come to one.
    if (world.failure !== undefined) for (const { channel } of ends as Partial<End>[]) channel?.destroy();
  }
  if (world.failure !== undefined) throw new Error(`${world.failure}\nin the program\n${tellProgram(program)}`);
}

/** Has a client connect to a server of its own. */
function connect(world: World, client: End, path: string): Promise<ChannelServer> {
  const { transport, family, sendBufferSize, behaviours } = world.program;
  const server = client.peer;
  const options = { transport, sendBufferSize, allowSmallBuffers: true };
  return new Promise((resolve) => {
    const where = family === 'unix' ? { path } : { host: '127.0.0.1', port: 0 };
    ChannelServer.listen(
      { ...options, ...where },
      {
        ...server.handlers(),
        onConnection(channel) {
          server.channel = channel;
          server.onConnect();
        },
        onListening(listening) {
          const at = listening.address();
          const target = typeof at === 'string' ? { path: at } : { host: '127.0.0.1', port: at?.port };
          world.open += 2;
          client.channel = Channel.connect({ ...options, ...target } as ConnectTarget, client.handlers());
          const early = behaviours[client.number]?.early;
          if (early !== undefined) client.write(early);
          resolve(listening);
        },
      },
    );
  });
}

async function take({ action, write, then }: Step, end: End): Promise<void> {
  const { world } = end;
  if (write === undefined) world.note(`${end.name}: ${action}`);
  if (action === 'pause') end.pause('step');
  else if (action === 'resume') end.readOn();
  else if (action === 'cork') end.cork();
  else if (action === 'uncork') end.uncork();
  else if (action === 'flush') end.channel.flush();
  else if (action === 'end') end.end();
  else if (action === 'destroy') end.destroy();
  else if (action === 'fail') end.destroy(new Error('its own'));
  else if (write !== undefined) end.write(write);
  if (then === 'tick') await Promise.resolve();
  else if (then === 'turn') await nextTurn();
}

/** Clients end first, servers when nothing can come any more that they would write on. */
async function finish(world: World, ends: readonly End[]): Promise<void> {
  world.finishing = true;
  for (const end of ends) {
    end.readOn();
    while (end.corks > 0) end.uncork();
  }
  const clients = ends.filter((_, number) => number % 2 === 0);
  const servers = ends.filter((_, number) => number % 2 === 1);
  for (const end of clients) end.end();
  await world.until(() =>
    servers.every(({ hasPeerEnded, isClosed, isSilent }) => hasPeerEnded || isClosed || isSilent),
  );
  for (const end of servers) end.end();
  await world.until(() => world.open === 0);
}
