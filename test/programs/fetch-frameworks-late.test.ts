/** The same programs, loaded when the global objects have been replaced: what they take at that is nearwire's. */
import { serve } from 'nearwire/http';

serve({ fetch: () => new Response(), overrideGlobalObjects: true });

const { h3 } = await import('../support/fetch-programs/h3.js');
const { itty } = await import('../support/fetch-programs/itty.js');
const { reactRouter } = await import('../support/fetch-programs/react-router.js');
const { srvx } = await import('../support/fetch-programs/srvx.js');
const { testProgram } = await import('../support/fetch-programs/suite.js');

for (const program of [h3, srvx, reactRouter, itty]) testProgram(program, true);
