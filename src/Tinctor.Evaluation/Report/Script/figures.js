// Figures with a chart by ECharts, as SVG, and matrices.

import { BoxplotChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendPlainComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { chartOptions, describeChart } from './charts.js';
import { $, el } from '../../../Web/elements.js';
import { clamp, format, number, percent } from '../../../Web/numbers.js';
import { scrolling } from './tables.js';
import { onPrint, onTheme } from './theme.js';

use([BoxplotChart, CustomChart, LineChart, ScatterChart, GridComponent, LegendPlainComponent, TooltipComponent, SVGRenderer]);

const drawn = [];

/**
 * Creates a figure with a chart. option(width) returns the options of ECharts, so that themes can redraw it; caption and describe, the
 * text for screen readers, are texts or functions; onPoint receives the name of a clicked point.
 * @param {{ option: (width: number) => object, title?: string, caption?: string | (() => string), describe?: string | (() => string),
 *   onPoint?: ((name: string) => void) | null, height?: number }} chart
 */
export function chartFigure({ title, caption, height = 320, option, describe, onPoint }) {
  const node = el('div', { class: 'chart', role: 'img', style: { height: `${height}px` } });
  const text = el('figcaption');
  const figure = el('figure', {}, title ? el('h4', {}, title) : '', node, text);
  let instance = null;
  const draw = () => {
    instance ??= init(node, null, { renderer: 'svg', width: node.clientWidth || 480, height });
    instance.setOption(option(node.clientWidth || 480), true);
    node.setAttribute('aria-label', typeof describe === 'function' ? describe() : describe ?? title);
    text.textContent = typeof caption === 'function' ? caption() : caption ?? '';
  };
  drawn.push({
    figure, node, draw,
    resize: () => {
      if (!instance || !node.clientWidth || node.clientWidth === instance.getWidth()) return;
      instance.resize({ width: node.clientWidth, height });
      draw();
    },
    start: () => { draw(); if (onPoint) instance.on('click', p => { if (p.data?.name) onPoint(p.data.name); }); },
  });
  return figure;
}

/** Draws figures again whose options have changed. */
export const redrawFigures = figures => drawn.filter(c => figures.includes(c.figure)).forEach(c => c.draw());

/** Draws all figures. Charts measure their container, so this follows the layout of the page. */
export function drawCharts() {
  drawn.forEach(c => c.start());
  onTheme(() => drawn.forEach(c => c.draw()));
  new ResizeObserver(() => drawn.forEach(c => c.resize())).observe($('main'));
  onPrint(() => drawn.forEach(({ node }) => {
    const picture = node.querySelector('svg');
    picture?.setAttribute('viewBox', `0 0 ${picture.getAttribute('width')} ${picture.getAttribute('height')}`);
  }));
}

/** Figure of a chart of a section. */
export function sectionChart(chart, onPoint) {
  if (chart.kind === 'matrix') return matrixFigure(chart);
  return chartFigure({
    title: chart.title, caption: chart.caption, describe: describeChart(chart), onPoint,
    height: chart.diagonal ? 360 : 320, option: width => chartOptions[chart.kind](chart, width),
  });
}

// Matrix as a table with shaded cells.
function matrixFigure(chart) {
  const values = chart.values.flat().map(number).filter(Number.isFinite);
  const top = Math.max(...values, 0), whole = values.every(Number.isInteger);
  const shade = v => Number.isFinite(v) && top > 0 ? clamp(v / top, 0, 1) : 0;
  const show = v => Number.isNaN(v) ? '–' : whole ? v.toLocaleString('en') : format(v, 2);
  const table = el('table', { class: 'matrix', 'aria-label': chart.title },
    el('thead', {},
      el('tr', {}, el('td', {}), el('td', {}), el('th', { scope: 'colgroup', colspan: chart.columns.length }, chart.column_title)),
      el('tr', {}, el('td', {}), el('td', {}), ...chart.columns.map(c => el('th', { scope: 'col' }, c)))),
    el('tbody', {}, ...chart.rows.map((row, r) => el('tr', {},
      r === 0 ? el('th', { class: 'side-title', scope: 'rowgroup', rowspan: chart.rows.length }, el('span', {}, chart.row_title)) : '',
      el('th', { scope: 'row' }, row),
      ...chart.values[r].map((value, c) => {
        const share = shade(number(value));
        return el('td', {
          class: share > 0.55 ? 'deep' : '', style: { '--share': percent(share) },
          title: `${chart.row_title} ${row}, ${chart.column_title} ${chart.columns[c]}: ${show(number(value))}`,
        }, show(number(value)));
      })))));
  return el('figure', { class: 'matrix-figure' },
    el('h4', {}, chart.title), scrolling(chart.title, table), el('figcaption', {}, chart.caption));
}
