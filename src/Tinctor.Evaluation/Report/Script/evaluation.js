// Page of an evaluation from top to bottom.

import { run, sections } from './data.js';
import { drawComparisons } from './comparisons.js';
import { drawDistributions } from './distributions.js';
import { $ } from '../../../Web/elements.js';
import { drawGallery, lookAt } from './gallery.js';
import { preparePlates } from './plates.js';
import { drawAdvice, drawProvenance } from './reading.js';
import { drawResults } from './results.js';
import { drawScores } from './scores.js';
import { sectionNodes } from './sections.js';
import { drawHead, drawHeadline, drawVerdicts } from './summary.js';
import { drawTraining } from './training.js';

export function drawEvaluation() {
  drawGallery();
  drawHead();
  drawVerdicts();
  drawHeadline();
  drawResults();
  drawComparisons();
  drawDistributions();
  $('sections').append(...sectionNodes(sections, lookAt));
  drawScores();
  if (run) drawTraining();
  drawAdvice();
  drawProvenance();
  preparePlates();
}
