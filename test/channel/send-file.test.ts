/** Files among the writes of a channel. */
import { closeSync, openSync, truncateSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Channel, ChannelServer, type ChannelHandlers, type ConnectTarget } from 'nearwire/channel';
import { descriptors, descriptorsBack, failure, testFile } from '../support/files.js';
import { cleanup, nextTurn, socketPath } from '../support/sockets.js';
import { sendsByReference } from '../support/subjects.js';

interface Ends {
  client: Channel;
  peer: Channel;
  /** All that the peer gets until the client ends. */
  received: Promise<Buffer>;
}

/** Two connected channels; the peer collects what it reads. */
function connected(transport: 'native' | 'js', handlers: ChannelHandlers = {}): Promise<Ends> {
  const target: ConnectTarget = { path: socketPath(), transport };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let client: Channel | undefined;
    let peer: Channel | undefined;
    const received = new Promise<Buffer>((told) => {
      const server = ChannelServer.listen(target, {
        onListening() {
          client = Channel.connect(target, { ...handlers, onConnect: both });
        },
        onConnection(channel) {
          peer = channel;
          both();
        },
        onData(_channel, data, start, end) {
          chunks.push(Buffer.from(data.subarray(start, end)));
        },
        onEnd(channel) {
          channel.end();
          told(Buffer.concat(chunks));
        },
        onError: () => undefined,
      });
      cleanup(() => {
        client?.destroy();
        peer?.destroy();
        server.close();
      });
    });
    function both(): void {
      if (client !== undefined && peer !== undefined) resolve({ client, peer, received });
    }
  });
}

describe.each(['native', 'js'] as const)('sendFile on a %s channel', (transport) => {
  it('keeps its place among the writes', async () => {
    const { path, bytes } = testFile(2_000_000);
    const { client, received } = await connected(transport);
    client.write('a');
    const sent = [client.sendFile(path), client.sendFile(path, { start: 9, end: 11 })];
    client.write('b');
    client.writev(['c', Buffer.alloc(20_000, 'd')]);
    sent.push(client.sendFile(path, { start: 1_000_000, end: 1_099_999 }));
    client.end();
    expect(await Promise.all(sent)).toEqual([2_000_000, 3, 100_000]);
    const expected = [Buffer.from('a'), bytes, bytes.subarray(9, 12), Buffer.from('bc'), Buffer.alloc(20_000, 'd')];
    expect((await received).equals(Buffer.concat([...expected, bytes.subarray(1_000_000, 1_100_000)]))).toBe(true);
    const { files, filesCopied, bytesByReference } = client.counters;
    const reference = transport === 'native' && sendsByReference();
    expect({ files, filesCopied, bytesByReference }).toEqual({
      files: 3,
      filesCopied: reference ? 0 : 3,
      bytesByReference: reference ? 2_100_003 : 0,
    });
  });

  it('is held back with the writes behind it, and drains', async () => {
    const { path, bytes } = testFile(8_000_000);
    let drains = 0;
    const { client, peer, received } = await connected(transport, { onDrain: () => drains++ });
    peer.pause();
    const fd = openSync(path, 'r');
    let sent = false;
    const whole = client.sendFile(fd).then(() => (sent = true));
    closeSync(fd);
    expect(client.write('behind')).toBe(false);
    for (let i = 0; i < 20; i++) await nextTurn();
    expect([sent, drains]).toEqual([false, 0]);
    peer.resume();
    await whole;
    client.end();
    expect((await received).equals(Buffer.concat([bytes, Buffer.from('behind')]))).toBe(true);
    expect(drains).toBe(1);
  });

  it('tells of what is wrong with the file, and goes on', async () => {
    const { path, bytes } = testFile(10);
    const { client, received } = await connected(transport);
    client.write('a');
    const missing = failure(client.sendFile(`${path}.not`));
    client.write('b');
    const directory = failure(client.sendFile('/'));
    const turned = failure(client.sendFile(path, { start: 5, end: 4 }));
    const beyond = client.sendFile(path, { start: 11, end: 20 });
    const aborted = failure(client.sendFile(path, { signal: AbortSignal.abort() }));
    const good = client.sendFile(path);
    client.end();
    expect(await missing).toMatchObject({ code: 'ENOENT', path: `${path}.not`, syscall: 'open' });
    expect(await directory).toMatchObject({ code: 'EISDIR' });
    expect(await turned).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(await beyond).toBe(0);
    expect(await aborted).toMatchObject({ code: 'ABORT_ERR', name: 'AbortError' });
    await good;
    expect((await received).equals(Buffer.concat([Buffer.from('ab'), bytes]))).toBe(true);
    expect(await failure(client.sendFile(path))).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    client.destroy();
    expect(await failure(client.sendFile(path))).toBeInstanceOf(Error);
  });

  it('ends the channel when the file turns out short', async () => {
    const { path, bytes } = testFile(8_000_000);
    const errors: unknown[] = [];
    const { client, peer, received } = await connected(transport, { onError: (_, { code }) => errors.push(code) });
    peer.pause();
    const fd = openSync(path, 'r');
    const sent = failure(client.sendFile(fd));
    closeSync(fd);
    truncateSync(path, 5_000_000);
    peer.resume();
    expect(await sent).toMatchObject({ code: 'ERR_NEARWIRE_FILE_TRUNCATED' });
    expect((await received).equals(bytes.subarray(0, 5_000_000))).toBe(true);
    expect(errors).toEqual(['ERR_NEARWIRE_FILE_TRUNCATED']);
  });

  it('is told of when the channel is destroyed, and lets go of the file', async () => {
    const { path } = testFile(8_000_000);
    const { client, peer } = await connected(transport);
    peer.pause();
    const before = descriptors();
    const sent = [failure(client.sendFile(path)), failure(client.sendFile(path))];
    await nextTurn();
    client.destroy();
    for (const one of sent) expect(await one).toBeInstanceOf(Error);
    // Its own.
    expect(await descriptorsBack(before - 1)).toBeLessThanOrEqual(before - 1);
  });
});
