// Options of ECharts for each kind of chart, in the colours of the current theme.

import { methods } from './data.js';
import { escaped, finite, number, significant } from '../../../Web/numbers.js';
import { roundRange } from './statistics.js';
import { colour, methodVariable, palette } from './theme.js';

export const base = () => ({
  animation: false,
  textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour('--soft') },
  tooltip: {
    trigger: 'axis', backgroundColor: colour('--paper'), borderColor: colour('--rule'),
    textStyle: { color: colour('--ink'), fontSize: 12 },
    axisPointer: { lineStyle: { color: colour('--soft') }, shadowStyle: { color: colour('--rule'), opacity: 0.4 } }, confine: true,
  },
});

export const axis = more => ({
  axisLine: { show: true, lineStyle: { color: colour('--soft') } }, axisTick: { lineStyle: { color: colour('--soft') } },
  axisLabel: { color: colour('--soft'), fontSize: 11, hideOverlap: true }, splitLine: { show: false },
  nameTextStyle: { color: colour('--soft'), fontSize: 12 }, ...more,
});
export const xAxis = (name, more) => axis({ type: 'value', name, nameLocation: 'middle', nameGap: 28, ...more });
export const yAxis = (name, more) => axis({
  type: 'value', name, nameTextStyle: { color: colour('--soft'), fontSize: 12, align: 'left', padding: [0, 0, 0, -38] },
  splitLine: { show: true, lineStyle: { color: colour('--rule') } }, axisLine: { show: false }, axisTick: { show: false }, ...more,
});
const legend = names => ({
  top: 0, left: 0, icon: 'roundRect', itemWidth: 14, itemHeight: 8, itemGap: 18,
  textStyle: { color: colour('--ink'), fontSize: 12 }, data: names,
});
/** Legend of several series, which wraps on narrow screens, and space below it for the name of the y axis. */
export function framed(names, width) {
  let rows = 1, used = 0;
  for (const name of names) {
    const needed = 32 + 7 * name.length;
    if (used && used + needed > width) { rows++; used = 0; }
    used += needed;
  }
  const several = names.length > 1;
  return { legend: several ? legend(names) : undefined, grid: { left: 52, right: 14, top: 38 + (several ? 22 * rows : 0), bottom: 44 } };
}

// ---- the charts of sections

// A series of a method has the colour of the method in all charts.
function seriesColour(series, index) {
  const method = methods.find(m => m.title === series.name || m.key === series.name);
  return colour(method ? methodVariable(method.key) : palette[index % palette.length]);
}

// Straight line from edge to edge with its name at the end.
function ruler(name, from, to, side = 'right') {
  return {
    name, type: 'line', silent: true, symbol: 'circle', symbolSize: 0.1, z: 4, tooltip: { show: false },
    lineStyle: { color: colour('--soft'), width: 1.2, type: [5, 4] }, itemStyle: { color: colour('--soft') },
    data: [{ value: from }, {
      value: to, label: {
        show: true, formatter: name, color: colour('--soft'), fontSize: 11, align: side, verticalAlign: 'bottom',
        position: [side === 'right' ? -4 : 4, -4], backgroundColor: colour('--paper'), padding: [1, 3],
      },
    }],
  };
}
const diagonalLine = (x, y) => {
  const low = Math.max(x.min, y.min), high = Math.min(x.max, y.max);
  return low < high ? [ruler('y = x', [low, low], [high, high])] : [];
};

function ranges(chart) {
  const xs = chart.series.flatMap(s => s.x), ys = [...chart.series.flatMap(s => s.y), ...(chart.lines ?? []).map(l => l.at)];
  if (!chart.diagonal) return [roundRange(xs), roundRange(ys)];
  const both = roundRange([...xs, ...ys]);
  return [both, both];
}

const points = s => s.x.map((x, i) => ({ value: [number(x), number(s.y[i])], name: s.names?.[i] }))
  .filter(p => p.value.every(Number.isFinite));

/** Functions of a chart of a section and its width in pixels. */
export const chartOptions = {
  scatter(chart, width) {
    const [x, y] = ranges(chart), many = chart.series.some(s => s.x.length > 300);
    return {
      ...base(), ...framed(chart.series.map(s => s.name), width),
      tooltip: { ...base().tooltip, trigger: 'item', formatter: p => escaped(p.data.name ?? p.seriesName)
        + (p.data.name && chart.series.length > 1 ? `, ${escaped(p.seriesName)}` : '')
        + [chart.x_title, chart.y_title].map((t, i) => `<br>${escaped(t)} <b>${significant(p.value[i])}</b>`).join('') },
      xAxis: xAxis(chart.x_title, x), yAxis: yAxis(chart.y_title, y),
      series: [
        ...(chart.diagonal ? diagonalLine(x, y) : []),
        ...(chart.lines ?? []).map(l => ruler(l.name, [x.min, l.at], [x.max, l.at])),
        ...chart.series.map((s, i) => ({
          name: s.name, type: 'scatter', data: points(s), symbolSize: many ? 5 : 8, z: 3,
          itemStyle: { color: seriesColour(s, i), opacity: many ? 0.5 : 0.75, borderColor: colour('--paper'), borderWidth: 0.6 },
        })),
      ],
    };
  },
  curve(chart, width) {
    const [x, y] = ranges(chart);
    return {
      ...base(), ...framed(chart.series.map(s => s.name), width),
      tooltip: { ...base().tooltip, valueFormatter: significant },
      xAxis: xAxis(chart.x_title, x), yAxis: yAxis(chart.y_title, y),
      series: [
        ...(chart.diagonal ? diagonalLine(x, y) : []),
        ...chart.series.map((s, i) => ({
          name: s.name, type: 'line', data: points(s), showSymbol: s.x.length <= 20, symbolSize: 6, z: 3,
          lineStyle: { width: 2, color: seriesColour(s, i) }, itemStyle: { color: seriesColour(s, i) },
        })),
      ],
    };
  },
  // Outlines over a light fill: bars of several series would hide each other.
  histogram(chart, width) {
    const x = roundRange(chart.edges, 8), y = roundRange([0, ...chart.series.flatMap(s => s.y)]);
    const shares = !chart.counts;
    return {
      ...base(), ...framed(chart.series.map(s => s.name), width),
      tooltip: { ...base().tooltip, formatter: items => histogramTip(chart, items, shares) },
      xAxis: xAxis(chart.x_title, x),
      yAxis: yAxis(shares ? 'share' : 'images', { ...y, axisLabel: {
        ...axis().axisLabel, formatter: shares ? v => `${Number((v * 100).toPrecision(4))}%` : undefined } }),
      series: [
        // The label is on the side with more space.
        ...(chart.lines ?? []).map(l => ruler(l.name, [l.at, y.min], [l.at, y.max], l.at < (x.min + x.max) / 2 ? 'left' : 'right')),
        ...chart.series.map((s, i) => ({
          name: s.name, type: 'line', step: 'end', symbol: 'none', z: 3,
          data: [[chart.edges[0], 0], ...s.y.map((v, k) => [chart.edges[k], number(v)]), [chart.edges.at(-1), 0]],
          lineStyle: { width: 1.8, color: seriesColour(s, i) }, itemStyle: { color: seriesColour(s, i) },
          areaStyle: { color: seriesColour(s, i), opacity: 0.1 },
        })),
      ],
    };
  },
};

function histogramTip(chart, items, shares) {
  const at = items[0].axisValue, bin = Math.max(0, chart.edges.findLastIndex((e, i) => i < chart.edges.length - 1 && e <= at + 1e-12));
  const rows = chart.series.map((s, i) => `<span style="color:${seriesColour(s, i)}">■</span> ${escaped(s.name)} <b>`
    + `${shares ? `${significant(number(s.y[bin]) * 100)}%` : significant(s.y[bin])}</b>`);
  return [`${significant(chart.edges[bin])} to ${significant(chart.edges[bin + 1])}`, ...rows].join('<br>');
}

/** Text of a chart for screen readers. */
export function describeChart(chart) {
  const spread = s => {
    const known = finite(s.y), [low, high] = [Math.min(...known), Math.max(...known)].map(significant);
    return `${s.name}: ${known.length ? `${known.length} values, ${chart.y_title ?? 'share'} ${low} to ${high}` : 'no values'}`;
  };
  return `${chart.title}. ${chart.series.map(spread).join('; ')}.`;
}
