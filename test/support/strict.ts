/** Each way in which a server's requests are read, with and without `strict`. */
import * as nearwireHttp from 'nearwire/http';
import { js, native, subjects, type Subject } from './subjects.js';

export interface StrictWay {
  readonly name: string;
  readonly options: Pick<nearwireHttp.HttpServerOptions, 'transport' | 'engine'>;
  /** The same server without `strict`. */
  readonly lax: Subject;
  readonly strict: Subject;
}

function way(name: string, base: Subject, options: StrictWay['options']): StrictWay {
  const made = (more: nearwireHttp.HttpServerOptions): Subject => ({
    ...base,
    http: {
      ...base.http,
      createServer: (given, listener) => nearwireHttp.createServer({ ...given, ...options, ...more }, listener),
    },
  });
  return { name, options, lax: made({}), strict: made({ strict: true }) };
}

const ALL = [
  way('native', native, { transport: 'native' }),
  way("native, engine: 'node'", native, { transport: 'native', engine: 'node' }),
  way('js', js, { transport: 'js' }),
];

/** Those that are there. */
export const strictWays = ALL.filter(({ options }) => subjects.some(({ name }) => name === options.transport));
