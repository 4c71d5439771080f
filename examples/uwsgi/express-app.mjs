/**
 * An Express application behind nginx: `node express-app.mjs uwsgi|http SOCKET`. Nothing of it knows which of the two it
 * is, but for the line that makes the server. nginx.conf beside it has both.
 */
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { serve } from './serve.mjs';

const app = express();
// Behind proxy_pass the client's address stands in X-Forwarded-For; behind uwsgi_pass it is the socket's own.
app.set('trust proxy', process.argv[2] === 'http');
app.use('/static', express.static(fileURLToPath(new URL('public', import.meta.url))));
app.use(express.json(), express.urlencoded({ extended: false }));

app.get('/', (req, res) => res.send('Hello World'));
app.get('/users/:id', (req, res) => res.json({ id: req.params.id, query: req.query }));
app.get('/who', (req, res) => {
  res.json({ ip: req.ip, protocol: req.protocol, secure: req.secure, hostname: req.hostname, url: req.originalUrl });
});
app.post('/form', (req, res) => res.status(201).json(req.body));
app.get('/negotiated', (req, res) => {
  res.format({ text: () => res.send('text'), html: () => res.send('<p>html</p>'), json: () => res.json('json') });
});
app.get('/elsewhere', (req, res) => res.redirect('/users/1'));

const visits = new Map();
app.get('/visits', (req, res) => {
  const [, known] = /(?:^|; )visitor=([\w-]+)/.exec(req.headers.cookie ?? '') ?? [];
  const visitor = visits.has(known) ? known : randomUUID();
  visits.set(visitor, (visits.get(visitor) ?? 0) + 1);
  res.cookie('visitor', visitor, { httpOnly: true, sameSite: 'lax' });
  res.cookie('seen', 'yes');
  res.json({ visits: visits.get(visitor) });
});

// A body that is made while it is sent.
app.get('/numbers', (req, res) => {
  res.type('text');
  Readable.from(
    (function* () {
      for (let i = 1; i <= 10_000; i++) yield `${i}\n`;
    })(),
  ).pipe(res);
});

// A body that is read while it comes.
app.put('/upload', async (req, res) => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of req) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  res.json({ bytes, sha256: hash.digest('hex') });
});

app.get('/broken', () => {
  throw new Error('broken');
});
app.use((req, res) => res.status(404).send('<h1>Not found</h1>'));
// Express knows it for an error page by its four parameters.
app.use((error, req, res, next) => res.status(error.status ?? 500).send(`<h1>${error.message}</h1>`));

serve(app);
