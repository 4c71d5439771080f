/** All cases, in the order of the report. */
import type { BenchCase } from '../model.js';
import { file, httpSame, page } from './bodies.js';
import { bulk } from './bulk.js';
import { churn } from './churn.js';
import { crowd } from './crowd.js';
import { fanin } from './fanin.js';
import { growth } from './growth.js';
import { http, httpBody, httpClose } from './http.js';
import { idle } from './idle.js';
import { load } from './load.js';
import { micro } from './micro.js';
import { pipeline } from './pipeline.js';
import { relay } from './relay.js';
import { retained } from './retained.js';
import { rtt } from './rtt.js';
import { storm } from './storm.js';

export const CASES: readonly BenchCase[] = [
  rtt,
  pipeline,
  bulk,
  fanin,
  growth,
  churn,
  http,
  httpClose,
  httpBody,
  httpSame,
  load,
  file,
  page,
  relay,
  crowd,
  idle,
  storm,
  retained,
  micro,
];
