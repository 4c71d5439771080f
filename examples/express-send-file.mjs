/**
 * Express's `res.sendFile` over nearwire: `node examples/express-send-file.mjs DIRECTORY [SOCKET]`.
 *
 * Express has the package `send` find the file and make the head: root, dotfiles, maxAge, its ETags, ranges, all as it
 * documents them. Only the last step, which pipes the file's bytes into the response, is nearwire's.
 */
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import express from 'express';
import { createServer, sendFile } from 'nearwire/http';
import send from 'send';

const coded = (message, code) => Object.assign(new Error(message), { code });

/** What Express says of a client that went away. */
function asExpressHasIt(error) {
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' ? coded('Request aborted', 'ECONNABORTED') : error;
}

/** Has the responses of this application send files by nearwire. `res.sendFile` takes what it takes in Express. */
export function useSendFile(app) {
  app.response.sendFile = function (path, options, callback) {
    if (typeof options === 'function') [options, callback] = [{}, options];
    const { headers, ...rest } = options ?? {};
    if (typeof path !== 'string') throw new TypeError('path must be a string to res.sendFile');
    if (!rest.root && !isAbsolute(path)) {
      throw new TypeError('path must be absolute or specify root to res.sendFile');
    }
    const { req } = this;
    let over = false;
    const done = (error) => {
      if (over) return;
      over = true;
      if (callback) callback(error);
      else if (error?.code === 'EISDIR') req.next();
      // Once the head has gone there is nobody to tell: the connection has been ended.
      else if (error && !this.headersSent) req.next(error);
    };
    const file = send(req, encodeURI(path), { ...rest, etag: this.app.enabled('etag') });
    file.stream = (found, { start, end }) => {
      // The head is made: 200 or 206, with all that stands in it.
      sendFile(this, found, { start, end, conditional: false }).then(
        () => done(),
        (error) => done(asExpressHasIt(error)),
      );
    };
    file.on('error', done);
    file.on('directory', () => done(coded('EISDIR, read', 'EISDIR')));
    if (headers) file.on('headers', (response) => response.set(headers));
    // HEAD and 304 end without a stream.
    this.once('finish', () => done());
    file.pipe(this);
  };
  return app;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , root = '.', socket = '/tmp/nearwire-express.sock'] = process.argv;
  const app = useSendFile(express());
  app.use((req, res, next) => {
    res.sendFile(decodeURI(req.path), { root: resolve(root) }, (error) => error && next());
  });
  createServer(app).listen(socket, () => console.log(`curl --unix-socket ${socket} http://localhost/README.md`));
}
