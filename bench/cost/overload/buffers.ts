/**
 * Send buffers: an answer that the kernel has no room for stays in the application until its reader has made some. At
 * which size that begins, what then stands where, and what `sendBuffer` does about it.
 */
import { formatBytes } from '../../format.js';
import type { Hop, Overload, Target } from '../model.js';
import { Answering, type Standing } from './answering.js';
import type { Lab } from './lab.js';
import { leastThat } from './search.js';
import { count, seconds, settingsOf } from './words.js';

type Family = Hop['family'];

const KIB = 1024;
const MIB = KIB * KIB;
/** Where the search begins. */
const FIRST = { unix: 64 * KIB, tcp: 512 * KIB };
/** What TCP may be led to by its own sizing is some MiB at either end. */
const LARGEST = 64 * MIB;

/** TCP sizes its buffers as it goes, and not twice the same. */
const GRAIN = { unix: 1 / 256, tcp: 1 / 32 };
/** Of the answers whose readers are counted up. */
const ANSWER = { unix: MIB, tcp: 6 * MIB };
const READERS = 20;
/** What is asked for instead of the system's own. */
const SEND_BUFFER = { unix: MIB, tcp: 4 * MIB };

/** What one setting of the send buffer has come to. */
interface Filled {
  /** The smallest answer of which the application keeps some. */
  readonly least: number;
  readonly standing: Standing;
  /** Bytes that the application keeps for many readers that do not read. */
  readonly crowd: number;
  readonly slow: { readonly held: number; readonly waits: number | undefined };
}

export async function driveBuffers(lab: Lab, family: Family): Promise<Overload[]> {
  const before = await fill(lab, family, undefined);
  const asked = SEND_BUFFER[family];
  const after = await fill(lab, family, asked);
  const { sendMemory, sendBuffer } = before.standing;
  const setting = `createServer({ sendBuffer: ${String(asked)} }) of nearwire/http`;
  const got = after.standing.sendBuffer;
  const seen = `begins with an answer of ${count(after.least)} bytes${got === undefined ? '' : ` (SO_SNDBUF reads ${count(got)})`}; ${toldOf(family, after)}`;
  const moves = [{ setting, at: { value: after.least, unit: 'bytes of an answer' }, seen }];
  return [
    {
      name: 'buffers',
      family,
      title: `an answer is larger than its send buffer, over ${family === 'unix' ? 'a UNIX socket' : 'TCP'}`,
      drive: `one answer to a reader that does not read, of growing size; the system's own buffers${family === 'unix' ? OF_MACOS : ''}`,
      at: { value: before.least, unit: 'bytes of an answer' },
      depth:
        sendMemory === undefined || sendBuffer === undefined
          ? undefined
          : { value: sendMemory, limit: sendBuffer, unit: 'bytes charged to the sender' },
      error: `none, but what does not fit stays in the application until its reader has made room: ${toldOf(family, before)}`,
      setting: settingsOf(moves),
      moves,
    },
  ];
}

/** From XNU's source, bsd/kern/uipc_usrreq.c (PIPSIZ); not driven on another system. */
const OF_MACOS = process.platform === 'darwin' ? '' : ' (macOS would give 8,192 bytes: net.local.stream.sendspace)';

function toldOf(family: Family, { crowd, slow }: Filled): string {
  const size = formatBytes(ANSWER[family]);
  const waits = slow.waits === undefined ? '' : `, in ${count(slow.waits)} waits`;
  return (
    `with ${String(READERS)} readers that do not read an answer of ${size} it keeps ${count(crowd)} bytes, with one that ` +
    `reads slowly it keeps some for ${seconds(slow.held)}${waits}`
  );
}

async function fill(lab: Lab, family: Family, sendBuffer: number | undefined): Promise<Filled> {
  const how = sendBuffer === undefined ? "the system's own buffer" : `sendBuffer ${formatBytes(sendBuffer)}`;
  lab.step(`buffers over ${family}: ${how}`);
  const where: Target = family === 'unix' ? { path: lab.socketPath() } : { host: '127.0.0.1', port: 0 };
  const answering = await Answering.open(where, sendBuffer);
  try {
    let standing: Standing | undefined;
    const waits = async (size: number): Promise<boolean> => {
      lab.signal.throwIfAborted();
      const { reader, response } = await answering.unread(size);
      const found = await answering.standing(response);
      reader.destroy();
      if (found.waiting > 0) standing = found;
      return found.waiting > 0;
    };
    const least = await leastThat(waits, FIRST[family], LARGEST, GRAIN[family]);
    if (least === undefined || standing === undefined) {
      throw new Error(`the kernel takes all of ${formatBytes(LARGEST)} that nobody reads`);
    }
    const size = ANSWER[family];
    return { least, standing, crowd: await crowd(answering, size), slow: await answering.slowly(size) };
  } finally {
    await answering.close();
  }
}

async function crowd(answering: Answering, size: number): Promise<number> {
  const all = [];
  for (let i = 0; i < READERS; i++) all.push(await answering.unread(size));
  const standing = await Promise.all(all.map(({ response }) => answering.standing(response)));
  for (const { reader } of all) reader.destroy();
  return standing.reduce((sum, { waiting }) => sum + waiting, 0);
}
