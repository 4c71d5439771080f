/** Usual variables of a request, whose parts the addon finds (native/uwsgi_variables.h). */
import { UwsgiHead, type NativeEngine } from '../binding/addon.js';
import type { Engine } from '../engine/engine.js';
import { HEADER_NAMES } from '../http/header-names.js';
import { Variables } from './variables.js';

/** As a listener gets them. */
const NAMES = [...new Set(HEADER_NAMES.map((name) => name.toLowerCase()))];

/** The two variables of CGI that are headers have no prefix. */
function variableOf(header: string): string {
  const name = header.toUpperCase().replaceAll('-', '_');
  return name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH' ? name : `HTTP_${name}`;
}

/** What is needed of an engine. */
export interface ScanningEngine extends Pick<Engine, 'inboxMemory'> {
  readonly native: Pick<NativeEngine, 'setVariableNames' | 'scanVariables' | 'layout'>;
}

export class VariableScanner {
  readonly engine: ScanningEngine;
  private readonly words: Int32Array;

  constructor(engine: ScanningEngine) {
    this.engine = engine;
    engine.native.setVariableNames(NAMES.map(variableOf));
    this.words = engine.native.layout.uwsgiHead;
  }

  /** The variables in `[start, end)`; undefined if there is anything unusual about them. */
  scan(data: Buffer, start: number, end: number): Variables | undefined {
    const { engine, words } = this;
    const text = engine.native.scanVariables(data === engine.inboxMemory ? undefined : data, start, end);
    if (text === undefined) return undefined;
    const head = new Variables(text);
    const ends = UwsgiHead.Headers + 4 * (words[UwsgiHead.HeaderCount] as number);
    for (let word: number = UwsgiHead.Headers; word < ends; word += 4) {
      const start = words[word] as number;
      const value = text.slice(words[word + 2], words[word + 3]);
      if (start < 0) head.rawHeaders.push(NAMES[~start] as string, value);
      else head.addHeader(text.slice(start, words[word + 1]), value);
    }
    head.count = words[UwsgiHead.VariableCount] as number;
    head.bodyLength = Math.max(0, words[UwsgiHead.ContentLength] as number);
    head.method = text.slice(words[UwsgiHead.MethodStart], words[UwsgiHead.MethodEnd]);
    head.url = text.slice(words[UwsgiHead.UrlStart], words[UwsgiHead.UrlEnd]);
    const protocolEnd = words[UwsgiHead.ProtocolEnd] as number;
    if (protocolEnd > 0) head.setVersion(text.slice(words[UwsgiHead.ProtocolStart], protocolEnd));
    return head;
  }
}

/** There is one engine for each thread, as there is one of this module; a benchmark has more. */
let scanner: VariableScanner | undefined;

export function scannerOf(engine: ScanningEngine): VariableScanner {
  if (scanner?.engine !== engine) scanner = new VariableScanner(engine);
  return scanner;
}
