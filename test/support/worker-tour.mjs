// What a Worker does once in test/engine/worker-terminated.test.ts: as many parts of the addon as it can, one after the other.
import { once } from 'node:events';
import { unlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const { library, path } = workerData;
const { createServer, connect, Page, sendFile } = await import(`${library}/index.js`);
const { Channel, ChannelServer } = await import(`${library}/channel.js`);
const http = await import(`${library}/http.js`);
const { listenQueue } = await import(`${library}/tune.js`);

const FILE_BYTES = 100_000;
const file = `${path}.file`;

async function listening(server, at) {
  server.listen(at);
  await once(server, 'listening');
}

async function closed(server) {
  server.close();
  await once(server, 'close');
}

async function exchange(at) {
  const server = createServer((socket) => {
    socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
  });
  await listening(server, at);
  const client = connect(at === 0 ? { port: server.address().port, host: '127.0.0.1' } : at);
  await once(client, 'connect');
  client.setNoDelay(true);
  client.setKeepAlive(true, 1000);
  client.unref();
  client.ref();
  const sent = [Buffer.from('small'), Buffer.alloc(300_000), Page.from(Buffer.alloc(70_000)).bytes];
  let missing = sent.reduce((sum, part) => sum + part.length, 0);
  for (const part of sent) client.write(part);
  await new Promise((resolve) => {
    client.on('data', (chunk) => {
      missing -= chunk.length;
      if (missing === 0) resolve();
    });
  });
  server.stats();
  await new Promise((resolve) => server.getConnections(resolve));
  if (at !== 0) await listenQueue(server);
  client.end();
  await once(client, 'close');
  await closed(server);
}

async function relayFile() {
  const back = createServer((socket) => {
    const end = () => socket.end();
    sendFile(socket, file).then(end, end);
  });
  await listening(back, path);
  const front = createServer((socket) => {
    const upstream = connect(path);
    upstream.pipe(socket);
    socket.pipe(upstream);
  });
  await listening(front, `${path}.front`);
  const client = connect(`${path}.front`);
  let bytes = 0;
  client.on('data', (chunk) => (bytes += chunk.length));
  await once(client, 'close');
  if (bytes !== FILE_BYTES) throw new Error(`${bytes} bytes of the file have come`);
  await Promise.all([closed(back), closed(front)]);
}

async function requests() {
  const server = http.createServer((message, response) => {
    if (message.url === '/file') http.sendFile(response, file);
    else message.resume().on('end', () => response.end('hello'));
  });
  await listening(server, path);
  const agent = new http.Agent({ keepAlive: true });
  for (const target of ['/', '/file', '/']) {
    const asked = request({ socketPath: path, path: target, agent, method: 'POST' });
    asked.end('body');
    const [response] = await once(asked, 'response');
    await once(response.resume(), 'end');
  }
  agent.destroy();
  await closed(server);
}

async function channels() {
  const server = ChannelServer.listen(
    { path },
    { onData: (channel, data, start, end) => channel.write(data, start, end) },
  );
  await new Promise((resolve) => {
    const onConnect = (channel) => channel.write(Buffer.from('abc'));
    Channel.connect({ path }, { onConnect, onData: (channel) => channel.destroy(), onClose: resolve });
  });
  server.close();
}

writeFileSync(file, Buffer.alloc(FILE_BYTES, 'f'));
await exchange(path);
await exchange(0);
await relayFile();
await requests();
await channels();
unlinkSync(file);
parentPort.postMessage('through');
