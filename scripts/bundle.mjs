// Bundles tsc's output into a few files: importing the package then reads three or four of them instead of ninety.
//
// dist/bundle has one file for each entry and command of package.json, and chunks/ with their common parts. Nothing is
// minified, and names change only if they clash: stack traces and class names are those of the source.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'dist', 'src');
const bundle = join(root, 'dist', 'bundle');
/** Re-exports for the tests, by their paths in src. They are not shipped. */
const DEEP = 'deep';
/** Internal modules used by tests together with a public entry: both must get the same instance. */
const WATCHED = [
  'binding/addon',
  'engine/connection',
  'engine/listener',
  'engine/engine',
  'engine/thread-engine',
  'exchange/study',
  'net/socket',
  'tune/target',
];

/**
 * Chunks by the rooms of src, lowest first: each includes what it imports. Without this list there would be one chunk
 * for each set of entries that share a module. Modules that load node:http are in a chunk of their own.
 */
const CHUNKS = [
  {
    name: 'engine',
    test: /^(?!runtime\/http|node\/http-)(runtime|errors|node|memory|config|binding|engine|files|stats)\//,
  },
  { name: 'node-http', test: /^(runtime\/http$|node\/http-)/ },
  { name: 'net', test: /^(net|cluster)\/|^register\/install-natively$/ },
  { name: 'channel', test: /^channel\// },
  // What serves requests over either protocol; not what programs call for files.
  { name: 'requests', test: /^exchange\/|^http\/(?!.*(file|copy-body|body-below|body-path|conditions|undici))/ },
  { name: 'uwsgi', test: /^uwsgi\// },
];

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const jsFilesIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.js'))
    .map((file) => join(folder, file));
const nameOf = (file) => relative(source, file).replaceAll(sep, '/').replace(/\.js$/, '');
const inSource = (name) => join(source, `${name}.js`);

/** The files listed in package.json, by their names in dist/bundle. */
function publicEntries() {
  const exported = Object.values(manifest.exports).map((target) => target.default);
  return [...exported, ...Object.values(manifest.bin ?? {})]
    .filter((file) => file !== undefined)
    .map((file) => relative(bundle, resolve(root, file)).replaceAll(sep, '/').replace(/\.js$/, ''));
}

const BUILTIN_IMPORT = /^import (?:\* as (\w+)|(\w+)|\{([^}]*)\}) from '(node:[\w/]+)';$/gm;

/**
 * Loads node's own modules with `builtin()`: an ES import of one reads all its exports, and getters among them load
 * others. For node:fs, node:util and node:timers that costs several milliseconds.
 */
const builtins = {
  name: 'builtins',
  transform(code, id) {
    if (!id.startsWith(source) || nameOf(id) === 'runtime/builtin') return null;
    const taken = code.replace(BUILTIN_IMPORT, (_all, namespace, whole, named, module) => {
      const target = namespace ?? whole ?? `{${named.replace(/\bas\b/g, ':').replace(/ :/g, ':')}}`;
      return `const ${target} = builtin('${module}');`;
    });
    if (taken === code) return null;
    // Appended at the end, since a command's first line must be its interpreter.
    return `${taken}\nimport { builtin } from ${JSON.stringify(inSource('runtime/builtin'))};\n`;
  },
};

/** `new URL('x', import.meta.url)` resolves to another file in a chunk than in the module. */
function checkUrls(fileName, code) {
  for (const [, path] of code.matchAll(/new URL\('([^']+)', import\.meta\.url\)/g)) {
    const found = resolve(bundle, dirname(fileName), path);
    if (`${found}${sep}` !== root && !(found.startsWith(root) && existsSync(found))) {
      throw new Error(`${fileName} looks for ${path}, which is ${found}`);
    }
  }
}

const publicNames = new Set(publicEntries());
const deepNames = WATCHED.filter((name) => !publicNames.has(name));
/** Programs that a module of src starts by their path next to it. */
const programs = ['doctor/trial'];
const build = await rolldown({
  input: Object.fromEntries([
    ...[...publicNames].map((name) => [name, inSource(name)]),
    ...deepNames.map((name) => [`${DEEP}/${name}`, inSource(name)]),
    ...programs.map((name) => [`chunks/${name.split('/').at(-1)}`, inSource(name)]),
  ]),
  platform: 'node',
  // Other packages, and node's modules.
  external: (id) => !id.startsWith('.') && !id.startsWith('/'),
  plugins: [builtins],
});
const { output } = await build.write({
  dir: bundle,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  minify: false,
  comments: false,
  codeSplitting: {
    groups: CHUNKS.map(({ name, test }) => ({ name, test: (id) => id.startsWith(source) && test.test(nameOf(id)) })),
  },
});
await build.close();

const written = new Set(output.map(({ fileName }) => join(bundle, fileName)));
for (const file of jsFilesIn(bundle)) if (!written.has(file)) rmSync(file);
for (const { fileName, code } of output) {
  checkUrls(fileName, code);
  const left = /^import .* from ["']node:(?!module["'])/m.exec(code);
  if (left) throw new Error(`${fileName} has an ES import of a module of node's own: ${left[0]}`);
}
