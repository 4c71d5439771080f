'use strict';
/**
 * Preloaded into a framework's tests: leaves an empty file in the folder that FRAMEWORK_NOTES names when a process first
 * has a native `socket` or `listener`, or an HTTP connection that nearwire's own engine reads (`http`). Without it a run
 * in which all stays with node would pass for a good one.
 */
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Engine } = require('../../dist/bundle/deep/engine/engine.js');
const { EngineListener } = require('../../dist/bundle/deep/engine/listener.js');

const noted = new Set();

function kindOf(connection) {
  if (connection instanceof EngineListener) return 'listener';
  return connection.constructor.name === 'NativeCarrier' ? 'http' : 'socket';
}

const { attach } = Engine.prototype;
Engine.prototype.attach = function (id, connection) {
  const kind = kindOf(connection);
  if (!noted.has(kind)) {
    noted.add(kind);
    writeFileSync(join(process.env.FRAMEWORK_NOTES, kind), '');
  }
  attach.call(this, id, connection);
};
