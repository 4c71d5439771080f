// What a Mac's node-gyp would compile, and how: gyp itself reads binding.gyp, node's common.gypi and the rest for
// macOS, and its Xcode settings are translated to compiler arguments as its makefiles for macOS have them.
import { execFileSync } from 'node:child_process';
import { isAbsolute, join } from 'node:path';
import { variantFolder } from './variant-folder.mjs';

const isYes = (value) => value === 'YES';
// Settings for which other values mean other arguments.
const WORDS = {
  CLANG_CXX_LANGUAGE_STANDARD: (value) => ({ cxx: [`-std=${value}`] }),
  GCC_C_LANGUAGE_STANDARD: (value) => ({ c: [`-std=${value}`] }),
  GCC_OPTIMIZATION_LEVEL: (value) => ({ all: [`-O${value}`] }),
  GCC_SYMBOLS_PRIVATE_EXTERN: (value) => ({ all: isYes(value) ? ['-fvisibility=hidden'] : [] }),
  GCC_ENABLE_CPP_EXCEPTIONS: (value) => ({ cxx: isYes(value) ? [] : ['-fno-exceptions'] }),
  GCC_ENABLE_CPP_RTTI: (value) => ({ cxx: isYes(value) ? [] : ['-fno-rtti'] }),
  OTHER_CFLAGS: (value) => ({ all: value }),
  WARNING_CFLAGS: (value) => ({ all: value }),
  OTHER_LDFLAGS: (value) => ({ link: value }),
};
// Settings passed to the compiler in another way (ARCHS and MACOSX_DEPLOYMENT_TARGET by its target), or used by Xcode
// only.
const APART = [
  'ALWAYS_SEARCH_USER_PATHS',
  'ARCHS',
  'CLANG_CXX_LIBRARY',
  'DYLIB_INSTALL_NAME_BASE',
  'GCC_CW_ASM_SYNTAX',
  'GCC_DYNAMIC_NO_PIC',
  'GCC_ENABLE_PASCAL_STRINGS',
  'GCC_THREADSAFE_STATICS',
  'GCC_VERSION',
  'MACOSX_DEPLOYMENT_TARGET',
  'PREBINDING',
  'USE_HEADERMAP',
];

// An unknown setting would silently be left out: an error.
function wordsOf(settings) {
  const words = { all: [], c: [], cxx: [], link: [] };
  for (const [name, value] of Object.entries(settings)) {
    if (APART.includes(name)) continue;
    const translate = WORDS[name];
    if (translate === undefined) throw new Error(`no word for the Xcode setting ${name}: add it to ${import.meta.url}`);
    for (const [kind, more] of Object.entries(translate(value))) words[kind].push(...more);
  }
  return words;
}

// One entry per target of both binding.gyp: { name, type, sources, includes, defines, words, system }, with absolute paths.
export function darwinTargets(processor) {
  const quiet = ['ignore', 'ignore', 'inherit'];
  const folders = [variantFolder('darwin', quiet), variantFolder('darwin-floor', quiet, 'bench/floor/')];
  return folders.flatMap((variant) => targetsIn(variant, processor));
}

function targetsIn({ folder, gyp }, processor) {
  gyp('configure', '--loglevel=warn', '--', '-f', 'gypd', '-DOS=mac', `-Dtarget_arch=${processor}`);
  // gyp writes Python literals.
  const program = 'import ast, json, sys; json.dump(ast.literal_eval(open(sys.argv[1]).read()), sys.stdout)';
  const text = execFileSync('python3', ['-c', program, join(folder, 'binding.gypd')], { maxBuffer: 64 * 1024 * 1024 });
  const absolute = (path) => (isAbsolute(path) ? path : join(folder, path));
  return JSON.parse(text.toString()).targets.map((target) => {
    const settings = target.configurations.Release;
    return {
      name: target.target_name,
      type: target.type,
      sources: target.sources.map(absolute),
      includes: settings.include_dirs.map(absolute),
      defines: settings.defines,
      words: wordsOf(settings.xcode_settings),
      system: settings.xcode_settings.MACOSX_DEPLOYMENT_TARGET,
    };
  });
}
