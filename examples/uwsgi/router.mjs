/** Stands where nginx would, before a uWSGI server: `node router.mjs UWSGI_SOCKET SOCKET`. */
import { pipeline } from 'node:stream/promises';
import { createServer } from 'nearwire/http';
import { request } from 'nearwire/uwsgi';

const [, , path, socket] = process.argv;

const server = createServer(async (req, res) => {
  try {
    const { method, url, headers } = req;
    const variables = { REMOTE_ADDR: req.socket.remoteAddress ?? '' };
    // A body that comes in chunks is gathered first, up to a megabyte; others go as they come.
    const answer = await request({ path }, { method, url, headers, variables, body: req });
    res.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
    await pipeline(answer.body, res);
  } catch (error) {
    if (res.headersSent) res.destroy(error);
    else res.writeHead(statusOf(error)).end();
  }
});

function statusOf({ code }) {
  if (code === 'ERR_NEARWIRE_HEADERS_TIMEOUT') return 504;
  return code === 'ERR_NEARWIRE_BODY_TOO_LARGE' ? 413 : 502;
}

server.listen(socket, () => console.log(`http on ${socket}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close());
