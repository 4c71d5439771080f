/** The answers: a sentence each, from what was measured and from nothing else. What is missing takes its sentence along. */
import { comparisonAnswers } from './answers/comparisons.js';
import type { Evidence } from './answers/evidence.js';
import { familyAnswers } from './answers/families.js';
import { hopAnswers } from './answers/hop.js';
import { limitAnswers } from './answers/limits.js';
import type { Answer } from './model.js';

/** Of `--app-ms`, milliseconds: what a request with a query or two takes. */
export const DEFAULT_APP_MS = 5;

export function answersOf(evidence: Evidence): Answer[] {
  return [hopAnswers, familyAnswers, comparisonAnswers, limitAnswers].flatMap((answers) => answers(evidence));
}
