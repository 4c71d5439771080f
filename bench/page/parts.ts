/** What every page of ours is made of: text and scripts that stand in one file, and can't break out of their place. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** JSON that can't end the script element that it stands in, nor begin a comment there. */
export function embed(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** Chart.js as its package ships it for a script element. */
export function chartLibrary(): string {
  const main = createRequire(import.meta.url).resolve('chart.js');
  return inline(readFileSync(join(dirname(main), 'chart.umd.min.js'), 'utf8'));
}

/** The compiled script of a page of ours, in one piece with what all of them share. */
export function pageScript(url: URL): string {
  return [new URL('drawing.js', import.meta.url), url]
    .map((part) => joined(inline(readFileSync(fileURLToPath(part), 'utf8'))))
    .join('');
}

/** A module as a part of a larger one, where what it imports stands before it. */
function joined(module: string): string {
  return module.replace(/^import [^;]*;$/gm, '').replace(/^export (?=function|const|class|\{)/gm, '');
}

/** Without the pointer to a source map that is not there, and without an end of the script element in a string. */
function inline(script: string): string {
  return script.replace(/^\/\/# sourceMappingURL=.*$/m, '').replaceAll('</script', '<\\/script');
}
