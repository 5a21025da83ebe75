// Curves and settings of the training.

import { axis, base, yAxis } from './charts.js';
import { run } from './data.js';
import { $, el } from '../../../Web/elements.js';
import { chartFigure } from './figures.js';
import { finite, significant } from '../../../Web/numbers.js';
import { smooth } from './statistics.js';
import { colour } from './theme.js';

const line = (name, values, style) => ({
  name, type: 'line', showSymbol: finite(values).length === 1, data: values.map((v, i) => [run.steps[i], v]),
  lineStyle: { ...style, color: colour('--m0') }, itemStyle: { color: colour('--m0') },
});

const curve = ([name, values]) => chartFigure({
  title: name, height: 190,
  describe: `Curve of ${name} over ${run.steps.length} points, last value ${values.findLast(v => v !== null).toPrecision(4)}`,
  option: () => ({
    ...base(), tooltip: { ...base().tooltip, valueFormatter: significant }, grid: { left: 52, right: 10, top: 10, bottom: 24 },
    xAxis: axis({ type: 'value', min: run.steps[0], max: run.steps.at(-1), axisLabel: { ...axis().axisLabel, showMaxLabel: true } }),
    yAxis: yAxis('', { scale: true, splitNumber: 3 }),
    series: [line(name, values, { width: 1, opacity: 0.35 }), line('smoothed', smooth(values), { width: 2 })],
  }),
});

/** Draws a chart for each logged value, and the settings. */
export function drawTraining() {
  $('training').hidden = false;
  $('training-note').textContent =
    `Curves of ${run.name} over training steps: logged values (thin) and their mean over a twentieth of the run (thick).`;
  $('curves').append(...Object.entries(run.curves).filter(([, values]) => values.some(v => v !== null)).map(curve));
  for (const [name, text] of Object.entries(run.documents))
    $('documents').append(el('details', { class: 'screen-only' },
      el('summary', {}, `Settings and environment: ${name}`), el('pre', { tabindex: '0' }, text)));
}
