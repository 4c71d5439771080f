/** All cases, in the order of the report. */
import type { BenchCase } from '../model.js';
import { bulk } from './bulk.js';
import { churn } from './churn.js';
import { fanin } from './fanin.js';
import { http, httpBody, httpClose } from './http.js';
import { idle } from './idle.js';
import { micro } from './micro.js';
import { pipeline } from './pipeline.js';
import { rtt } from './rtt.js';

export const CASES: readonly BenchCase[] = [rtt, pipeline, bulk, fanin, churn, http, httpClose, httpBody, idle, micro];
