// Script of all reports: an evaluation, or a page that consists of sections only.

import { drawContents, openFoldsInPrint } from './contents.js';
import { gallery, sections } from './data.js';
import { $ } from '../../../Web/elements.js';
import { drawEvaluation } from './evaluation.js';
import { drawCharts } from './figures.js';
import { sectionNodes } from './sections.js';
import { withScrollSign } from './tables.js';
import { startThemes } from './theme.js';

function drawPage() {
  startThemes();
  if (gallery) drawEvaluation();
  else $('sections').append(...sectionNodes(sections, null));
  signScrollers();
  drawContents();
  openFoldsInPrint();
  drawCharts();
}

// Tables of the page itself scroll like those of the script.
function signScrollers() {
  for (const scroller of document.querySelectorAll('main .scroll')) {
    if (scroller.closest('.scroller')) continue;
    const place = scroller.nextSibling, parent = scroller.parentNode;
    parent.insertBefore(withScrollSign(scroller), place);
  }
}

drawPage();
