/**
 * The front before an app that costs nothing to speak of: nginx passing on to the plain C server over one kind of hop.
 * Its CPU there is all that a front spends on a request, whatever the app.
 */
import { hopName, startPlainServer } from './hop-alone.js';
import { measureStack, type MeasureOptions } from './measure.js';
import type { FrontSample, Hop, StackPlace, Work } from './model.js';
import { launchNginx, proxyOptions, uwsgiOptions } from './stacks/nginx.js';
import { startParts } from './stacks/parts.js';

export interface FrontOptions extends MeasureOptions {
  /** An empty folder of its own. */
  readonly place: StackPlace;
}

/** undefined: nginx does not speak mod_wsgi's protocol, and of an answer of unknown length there is none to send. */
export async function measureFront(
  hop: Hop,
  work: Work,
  round: number,
  options: FrontOptions,
): Promise<FrontSample | undefined> {
  if (hop.protocol === 'mod_wsgi' || work.answerBytes === undefined) return undefined;
  const { place } = options;
  const app = await startPlainServer(hop, work.answerBytes, { ...options, folder: place.folder });
  try {
    const upstream = hop.protocol === 'uwsgi' ? uwsgiOptions(app.target) : proxyOptions(app.target, hop.connections);
    const running = await startParts(place, async (parts) => {
      const target = await launchNginx(parts, upstream);
      await parts.untilListening(target);
      return { target, hopTarget: app.target };
    });
    try {
      const name = `nginx before plain C, ${hopName(hop)}`;
      const [lone, crowd] = await measureStack({ name, hop: undefined }, running, work, round, options);
      const front = crowd?.sample.cpu.front;
      return lone && front && { hop, work: work.name, round, time: lone.sample.p50, front };
    } finally {
      await running.stop();
    }
  } finally {
    await app.stop();
  }
}
