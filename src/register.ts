/**
 * `nearwire/register`: makes a program that knows nothing of nearwire use it. Load it before the program:
 *
 *     node --require nearwire/register app.js
 *     node --import nearwire/register app.js
 *
 * See `registerTransport` for what it changes.
 *
 * @module nearwire/register
 */
import { registerTransport } from './register/install.js';

registerTransport();
