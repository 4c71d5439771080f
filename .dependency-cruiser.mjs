/**
 * The order of the rooms in src, lowest first: a room imports from itself and from those before it. docs/architecture.md says what
 * each is for. Types count as imports do.
 */
const ROOMS = [
  'runtime',
  'errors',
  'node',
  'memory',
  'config',
  'binding',
  'engine',
  'files',
  'stats',
  'cluster',
  'net',
  'channel',
  'exchange',
  'http',
  'uwsgi',
  'tune',
  'inspection',
  'doctor',
  'register',
];
/** The entries of the package, which lie at the top. */
const ENTRIES = '^src/[^/]+$';

const folder = (rooms) => `^src/(${rooms.join('|')})/`;

const upward = ROOMS.slice(0, -1).map((room, i) => ({
  name: `${room}-imports-from-below`,
  comment: 'A room imports from those that stand before it in ROOMS.',
  severity: 'error',
  from: { path: folder([room]) },
  to: { path: `${folder([...ROOMS.slice(i + 1), 'cli'])}|${ENTRIES}|^bench/` },
}));

export default {
  forbidden: [
    ...upward,
    {
      name: 'register-imports-from-below',
      severity: 'error',
      from: { path: folder(['register']) },
      to: { path: `${folder(['cli'])}|${ENTRIES}|^bench/` },
    },
    {
      name: 'entry-imports-the-command-line',
      severity: 'error',
      // nearwire/internal hands nearwire-bench what commands have in common.
      from: { path: ENTRIES, pathNot: '^src/internal.ts$' },
      to: { path: `${folder(['cli'])}|^bench/` },
    },
    {
      name: 'src-imports-bench',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^bench/' },
    },
    {
      name: 'bench-imports-past-the-entries',
      comment: 'bench is a package of its own: it has what nearwire exports.',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^src/[^/]+/' },
    },
    {
      name: 'unknown-room',
      comment: 'A new folder has its place in ROOMS.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: folder([...ROOMS, 'cli']) },
    },
    { name: 'circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'orphan', severity: 'error', from: { orphan: true, pathNot: ENTRIES }, to: {} },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    includeOnly: '^(src|bench)/',
    exclude: { path: '^bench/(dist|build)/' },
    doNotFollow: { path: 'node_modules' },
  },
};
