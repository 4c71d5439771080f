// Reads the properties of a 64-bit Mach-O file without a Mac: processor, kind, lowest system, symbols. The layouts are
// those of Apple's <mach-o/loader.h> and <mach-o/nlist.h>.
import { readFileSync } from 'node:fs';

const MAGIC_64 = 0xfeedfacf;
const HEADER_BYTES = 32;
const PROCESSORS = new Map([
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
]);
const KINDS = new Map([
  [2, 'executable'],
  [6, 'dylib'],
  [8, 'bundle'],
]);
const LC_SYMTAB = 0x2;
const LC_LOAD_DYLIB = 0xc;
const LC_CODE_SIGNATURE = 0x1d;
const LC_BUILD_VERSION = 0x32;
const PLATFORM_MACOS = 1;
const NLIST_BYTES = 16;
const N_STAB = 0xe0;
const N_TYPE = 0x0e;
const N_EXT = 0x01;
const N_PEXT = 0x10;

function textAt(bytes, start) {
  return bytes.toString('latin1', start, bytes.indexOf(0, start));
}

function symbolsOf(bytes, command) {
  const [first, count, strings] = [8, 12, 16].map((at) => bytes.readUInt32LE(command + at));
  const defined = [];
  const undefinedNames = [];
  for (let at = first; at < first + count * NLIST_BYTES; at += NLIST_BYTES) {
    const type = bytes[at + 4];
    if ((type & N_STAB) !== 0 || (type & N_EXT) === 0) continue;
    const name = textAt(bytes, strings + bytes.readUInt32LE(at));
    if ((type & N_TYPE) === 0) undefinedNames.push(name);
    else if ((type & N_PEXT) === 0) defined.push(name);
  }
  return { defined, undefined: undefinedNames };
}

// Returns { processor, kind, system: 'macOS 11.0', signed, libraries, defined, undefined }; the names of symbols as in
// the file, with C's leading underscore. Throws if it is not such a file.
export function readMachO(file) {
  const bytes = readFileSync(file);
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC_64) throw new Error(`${file}: not 64-bit Mach-O`);
  const found = {
    processor: PROCESSORS.get(bytes.readUInt32LE(4)),
    kind: KINDS.get(bytes.readUInt32LE(12)),
    system: undefined,
    signed: false,
    libraries: [],
    defined: [],
    undefined: [],
  };
  const commands = bytes.readUInt32LE(16);
  for (let i = 0, at = HEADER_BYTES; i < commands; i++, at += bytes.readUInt32LE(at + 4)) {
    const command = bytes.readUInt32LE(at) & 0x7fffffff;
    if (command === LC_SYMTAB) Object.assign(found, symbolsOf(bytes, at));
    if (command === LC_CODE_SIGNATURE) found.signed = true;
    if (command === LC_LOAD_DYLIB) found.libraries.push(textAt(bytes, at + bytes.readUInt32LE(at + 8)));
    if (command === LC_BUILD_VERSION && bytes.readUInt32LE(at + 8) === PLATFORM_MACOS) {
      found.system = `macOS ${bytes.readUInt16LE(at + 14)}.${bytes[at + 13]}`;
    }
  }
  return found;
}
