'use strict';
/**
 * Preloaded into node's tests: leaves an empty file `listener`, `connection` or `accepted` in the folder that
 * CONFORMANCE_NOTES names when the first native socket of that kind is made. Without it a run in which nothing goes the
 * native way would pass for a good one.
 */
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Engine } = require('../../dist/bundle/deep/engine/engine.js');
const { EngineListener } = require('../../dist/bundle/deep/engine/listener.js');

const folder = process.env.CONFORMANCE_NOTES;
const noted = new Set();

function note(kind) {
  if (noted.has(kind)) return;
  noted.add(kind);
  writeFileSync(join(folder, kind), '');
}

const { attach } = Engine.prototype;
Engine.prototype.attach = function (id, connection) {
  if (connection instanceof EngineListener) note('listener');
  else note(connection.attempt === undefined ? 'accepted' : 'connection');
  attach.call(this, id, connection);
};
