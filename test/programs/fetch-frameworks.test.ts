/** Web frameworks of fetch handlers on serve(), against their own servers for node. */
import { h3 } from '../support/fetch-programs/h3.js';
import { itty } from '../support/fetch-programs/itty.js';
import { reactRouter } from '../support/fetch-programs/react-router.js';
import { srvx } from '../support/fetch-programs/srvx.js';
import { testOwnServer, testProgram } from '../support/fetch-programs/suite.js';

const programs = [h3, srvx, reactRouter, itty];

for (const program of programs) testOwnServer(program);
// In this order: globals that have been replaced stay so.
for (const overrideGlobalObjects of [false, true]) {
  for (const program of programs) testProgram(program, overrideGlobalObjects);
}
