/** Which files of node's test tree are about sockets, and the files that are sent on them: rules on their names and texts, and a list of single ones. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const USES_NET = /require\(['"](node:)?net['"]\)|from ['"](node:)?net['"]/;
const USES_PIPE = /common\.PIPE/;
const OPENS_SOCKET = /\.listen\(|createConnection|\bconnect\(|\.request\(/;
const TAKES_SOCKET = /createConnection|\bsocket:/;

/** A file is taken if its name and its text match one of these. Without `texts` the name is enough. */
const RULES = [
  { name: /^test-(net|pipe|http-unix|cluster)-/ },
  { name: /^test-http-/, texts: [USES_NET, USES_PIPE, OPENS_SOCKET] },
  { name: /^test-(tls|https|http2)-/, texts: [USES_NET, USES_PIPE, TAKES_SOCKET] },
  { name: /^test-stream-/, texts: [USES_NET] },
  { name: /^test-fs-.*read-?stream/i },
];

/** Files that no rule finds: handles passed to children, descriptors, diagnostics, and those of `sequential`. */
const { also } = JSON.parse(readFileSync(new URL('./selection.json', import.meta.url), 'utf8'));

const FOLDERS = ['parallel', 'sequential'];

/**
 * The names (`parallel/test-net-server.js`) in the folder `root` of those tests, in order. A name of the list that this
 * version of the tree does not have is left out.
 */
export function selectTests(root) {
  const names = new Set(also.filter((name) => existsSync(join(root, name))));
  for (const folder of FOLDERS) {
    for (const file of readdirSync(join(root, folder))) {
      if (/\.m?js$/.test(file) && isAboutSockets(file, join(root, folder, file))) names.add(`${folder}/${file}`);
    }
  }
  return [...names].sort();
}

function isAboutSockets(file, path) {
  const rules = RULES.filter(({ name }) => name.test(file));
  if (rules.length === 0) return false;
  const text = readFileSync(path, 'utf8');
  return rules.some(({ texts }) => texts === undefined || texts.some((pattern) => pattern.test(text)));
}
