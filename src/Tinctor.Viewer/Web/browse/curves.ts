// Curves of a run, drawn by ECharts.

import { LineChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import type { ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { Curve, LoggedValues } from '../api.ts';
import { formatNumber } from '../format.ts';
import { el } from '../page.ts';

use([LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

const drawn = new Set<() => void>();
const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const redrawCurves = () => drawn.forEach(draw => draw());

/** Adds logged values to curves; a value of a step that a curve has already is replaced, and new names become new curves. */
export function appendValues(curves: Curve[], { step, values }: LoggedValues): Curve[] {
  const names = new Set([...curves.map(c => c.name), ...Object.keys(values)]);
  return [...names].map(name => {
    const points = curves.find(c => c.name === name)?.points ?? [], value = values[name];
    if (value === undefined) return { name, points };
    return { name, points: [...points.filter(([at]) => at !== step), [step, value] as [number, number]].sort((a, b) => a[0] - b[0]) };
  });
}

const options = (curve: Curve) => ({
  animation: false, grid: { left: 52, right: 14, top: 10, bottom: 24 },
  tooltip: { trigger: 'axis', renderMode: 'richText', valueFormatter: (value: unknown) => formatNumber(Number(value)) },
  xAxis: { type: 'value', min: 'dataMin', max: 'dataMax', axisLabel: { color: colour('--soft'), fontSize: 11, hideOverlap: true },
    splitLine: { show: false }, axisLine: { lineStyle: { color: colour('--soft') } } },
  yAxis: { type: 'value', scale: true, splitNumber: 3, axisLabel: { color: colour('--soft'), fontSize: 11 },
    splitLine: { lineStyle: { color: colour('--rule') } } },
  series: [{ type: 'line', name: curve.name, data: curve.points, showSymbol: curve.points.length === 1,
    itemStyle: { color: colour('--m0') },
    lineStyle: { width: 1.5, color: colour('--m0') } }],
});

export interface CurveFigures { node: HTMLElement; update: (curves: Curve[]) => void; dispose: () => void }

/** Creates a figure for each curve, which follows updates. */
export function curveFigures(): CurveFigures {
  const node = el('div', { class: 'curves' });
  const charts = new Map<string, { place: HTMLElement; last: HTMLElement; chart: ECharts | null }>();
  let curves: Curve[] = [];
  const draw = () => {
    for (const curve of curves) {
      const entry = charts.get(curve.name), value = curve.points.at(-1)?.[1];
      if (!entry) continue;
      entry.chart ??= init(entry.place, null, { renderer: 'canvas' });
      entry.chart.setOption(options(curve), true);
      entry.last.textContent = value === undefined ? '' : formatNumber(value);
      entry.place.setAttribute('aria-label', `Curve of ${curve.name}: ${curve.points.length} points, last value ${value ?? 'none'}`);
    }
  };
  const resized = new ResizeObserver(() => charts.forEach(entry => entry.chart?.resize()));
  resized.observe(node);
  drawn.add(draw);
  return {
    node,
    update(next) {
      curves = next.filter(curve => curve.points.length > 0);
      for (const { name } of curves) {
        if (charts.has(name)) continue;
        const place = el('div', { class: 'curve', role: 'img' }), last = el('span');
        node.append(el('figure', {}, el('figcaption', {}, name, last), place));
        charts.set(name, { place, last, chart: null });
      }
      draw();
    },
    dispose() {
      drawn.delete(draw);
      resized.disconnect();
      charts.forEach(entry => entry.chart?.dispose());
    },
  };
}
