/** Stands where nginx would, before a uWSGI server: `node router.mjs UWSGI_SOCKET SOCKET`. */
import { pipeline } from 'node:stream/promises';
import { createServer } from 'nearwire/http';
import { request } from 'nearwire/uwsgi';

const [, , path, socket] = process.argv;

const server = createServer(async (req, res) => {
  try {
    const { method, url } = req;
    const headers = endToEnd(req.rawHeaders);
    const variables = { REMOTE_ADDR: req.socket.remoteAddress ?? '' };
    // A body that comes in chunks is gathered first, up to a megabyte; others go as they come.
    const answer = await request({ path }, { method, url, headers, variables, body: req });
    res.writeHead(answer.statusCode, answer.statusMessage, endToEnd(answer.rawHeaders));
    await pipeline(answer.body, res);
  } catch (error) {
    if (res.headersSent) res.destroy(error);
    else res.writeHead(statusOf(error)).end();
  }
});

/** Headers that are about one connection (RFC 9110, 7.6.1): each side has its own. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** Names and values in turn, without those and what `Connection` names beside them. */
function endToEnd(rawHeaders) {
  const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]]] : []));
  const options = pairs.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value);
  const named = options
    .join()
    .toLowerCase()
    .split(/[\s,]+/);
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase())).flat();
}

function statusOf({ code }) {
  if (code === 'ERR_NEARWIRE_HEADERS_TIMEOUT') return 504;
  return code === 'ERR_NEARWIRE_BODY_TOO_LARGE' ? 413 : 502;
}

server.listen(socket, () => console.log(`http on ${socket}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close());
