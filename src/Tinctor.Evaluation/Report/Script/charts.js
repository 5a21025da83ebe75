// Charts by ECharts, as SVG. Each is a function that returns the option, so that themes can redraw it.

const drawn = [];

// Creates a figure with a chart. describe() returns the text for screen readers; onPoint receives the name of a clicked point.
function chartFigure({ title, caption, height = 320, option, describe, onPoint }) {
  const node = el('div', { class: 'chart', role: 'img', style: { height: `${height}px` } });
  const text = el('figcaption');
  const figure = el('figure', {}, title ? el('h4', {}, title) : '', node, text);
  let instance = null;
  const draw = () => {
    instance ??= echarts.init(node, null, { renderer: 'svg', width: node.clientWidth || 480, height });
    instance.setOption(option(node.clientWidth || 480), true);
    node.setAttribute('aria-label', typeof describe === 'function' ? describe() : describe ?? title);
    text.textContent = typeof caption === 'function' ? caption() : caption ?? '';
  };
  drawn.push({
    node, draw,
    resize: () => {
      if (!instance || !node.clientWidth || node.clientWidth === instance.getWidth()) return;
      instance.resize({ width: node.clientWidth, height });
      draw();
    },
    start: () => { draw(); if (onPoint) instance.on('click', p => { if (p.data?.name) onPoint(p.data.name); }); },
  });
  figure.draw = draw;
  return figure;
}

// Charts measure their container, so they are drawn after the page is laid out.
function drawCharts() {
  drawn.forEach(c => c.start());
  redraw.push(() => drawn.forEach(c => c.draw()));
  new ResizeObserver(() => drawn.forEach(c => c.resize())).observe($('main'));
  beforePrint.push(() => drawn.forEach(({ node }) => {
    const picture = node.querySelector('svg');
    picture?.setAttribute('viewBox', `0 0 ${picture.getAttribute('width')} ${picture.getAttribute('height')}`);
  }));
}

const base = () => ({
  animation: false,
  textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour('--soft') },
  tooltip: {
    trigger: 'axis', backgroundColor: colour('--paper'), borderColor: colour('--rule'),
    textStyle: { color: colour('--ink'), fontSize: 12 },
    axisPointer: { lineStyle: { color: colour('--soft') }, shadowStyle: { color: colour('--rule'), opacity: 0.4 } }, confine: true,
  },
});

const axis = more => ({
  axisLine: { show: true, lineStyle: { color: colour('--soft') } }, axisTick: { lineStyle: { color: colour('--soft') } },
  axisLabel: { color: colour('--soft'), fontSize: 11, hideOverlap: true }, splitLine: { show: false },
  nameTextStyle: { color: colour('--soft'), fontSize: 12 }, ...more,
});
const xAxis = (name, more) => axis({ type: 'value', name, nameLocation: 'middle', nameGap: 28, ...more });
const yAxis = (name, more) => axis({
  type: 'value', name, nameTextStyle: { color: colour('--soft'), fontSize: 12, align: 'left', padding: [0, 0, 0, -38] },
  splitLine: { show: true, lineStyle: { color: colour('--rule') } }, axisLine: { show: false }, axisTick: { show: false }, ...more,
});
const legend = names => ({
  top: 0, left: 0, icon: 'roundRect', itemWidth: 14, itemHeight: 8, itemGap: 18,
  textStyle: { color: colour('--ink'), fontSize: 12 }, data: names,
});
// Legend of several series, which wraps on narrow screens, and space below it for the name of the y axis.
function framed(names, width) {
  let rows = 1, used = 0;
  for (const name of names) {
    const needed = 32 + 7 * name.length;
    if (used && used + needed > width) { rows++; used = 0; }
    used += needed;
  }
  const several = names.length > 1;
  return { legend: several ? legend(names) : undefined, grid: { left: 52, right: 14, top: 38 + (several ? 22 * rows : 0), bottom: 44 } };
}

// ---- ranges

const finite = values => values.map(number).filter(Number.isFinite);

// Range with round ends: steps are 1, 2 or 5 times a power of ten.
function roundRange(values, ticks = 5) {
  const known = finite(values);
  if (!known.length) return { min: 0, max: 1, interval: 0.2 };
  let low = Math.min(...known), high = Math.max(...known);
  if (low === high) { const pad = Math.abs(low) * 0.1 || 1; low -= pad; high += pad; }
  const interval = roundStep((high - low) / ticks);
  const tidy = x => Number(x.toPrecision(12));
  return {
    min: tidy(Math.floor(low / interval + 1e-9) * interval), max: tidy(Math.ceil(high / interval - 1e-9) * interval),
    interval: tidy(interval),
  };
}

function roundStep(raw) {
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 5, 10].toSorted((a, b) => Math.abs(Math.log(a * power / raw)) - Math.abs(Math.log(b * power / raw)))[0];
}

const decimalsOf = step => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
function significant(value) {
  const n = number(value);
  return Number.isFinite(n) ? String(Number(n.toPrecision(4))).replace('-', '−') : '–';
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
        show: true, formatter: name, color: colour('--soft'), fontSize: 11, align: side, verticalAlign: 'bottom', position: [side === 'right' ? -4 : 4, -4],
        backgroundColor: colour('--paper'), padding: [1, 3],
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

const chartOptions = {
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

const escaped = text => String(text).replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);

function histogramTip(chart, items, shares) {
  const at = items[0].axisValue, bin = Math.max(0, chart.edges.findLastIndex((e, i) => i < chart.edges.length - 1 && e <= at + 1e-12));
  const rows = chart.series.map((s, i) => `<span style="color:${seriesColour(s, i)}">■</span> ${escaped(s.name)} <b>`
    + `${shares ? `${significant(number(s.y[bin]) * 100)}%` : significant(s.y[bin])}</b>`);
  return [`${significant(chart.edges[bin])} to ${significant(chart.edges[bin + 1])}`, ...rows].join('<br>');
}

function describeChart(chart) {
  const spread = s => {
    const known = finite(s.y), [low, high] = [Math.min(...known), Math.max(...known)].map(significant);
    return `${s.name}: ${known.length ? `${known.length} values, ${chart.y_title ?? 'share'} ${low} to ${high}` : 'no values'}`;
  };
  return `${chart.title}. ${chart.series.map(spread).join('; ')}.`;
}

function sectionChart(chart, onPoint) {
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
