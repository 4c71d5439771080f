// Checks that the prebuilt addon needs no C library newer than that of the oldest systems in use. It loads on any
// system whose version is at least that of its newest symbol. Run `npm run build:prebuilds` first.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * RHEL 9 and Amazon Linux 2023 have this version. Ubuntu 22.04 has 2.35, and Debian 12, the base of the images of Node
 * 22 and 24, 2.36.
 */
const NEWEST = [2, 34];

const folder = fileURLToPath(new URL(`../prebuilds/${process.platform}-${process.arch}/`, import.meta.url));
const addons = readdirSync(folder).filter((name) => name.endsWith('.node'));
if (addons.length === 0) throw new Error(`no addon in ${folder}`);

const isNewer = ([major, minor]) => major > NEWEST[0] || (major === NEWEST[0] && minor > NEWEST[1]);
for (const name of addons) {
  const symbols = execFileSync('readelf', ['--dyn-syms', '--wide', folder + name], { encoding: 'utf8' });
  const asked = [...symbols.matchAll(/(\S+)@GLIBC_(\d+)\.(\d+)/g)];
  if (asked.length === 0) throw new Error(`${name} asks for no symbol of glibc: is it an addon for it?`);
  const newer = asked.filter(([, , ...version]) => isNewer(version.map(Number)));
  for (const [symbol] of newer) console.error(`${name}: ${symbol}`);
  if (newer.length > 0) process.exitCode = 1;
  else console.log(`${name}: loads with glibc ${NEWEST.join('.')} and newer`);
}
