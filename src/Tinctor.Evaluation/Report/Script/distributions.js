// Distributions of the scores: histogram, box plots, violins, and the images as points of two methods.

import { base, chartOptions, describeChart, framed, xAxis, yAxis } from './charts.js';
import { choice, dropdown, metricChoice } from './controls.js';
import { couples, embedded, headline, images, labels, methodOf, methods, metricOf, metrics, modelCouples, models } from './data.js';
import { $ } from '../../../Web/elements.js';
import { chartFigure, redrawFigures } from './figures.js';
import { lookAt } from './gallery.js';
import { withUnit } from './metrics.js';
import { decimalsOf, escaped, finite, format, number, plural } from '../../../Web/numbers.js';
import { boxOf, histogram, quantile, violinOf } from './statistics.js';
import { colour, methodVariable } from './theme.js';

// Metric and pair of methods that are shown.
let chosen = '', couple = '';

const scores = (method, key, label) => finite(images.filter(i => label === undefined || i.label === label).map(i => i.scores[method][key]));

function histogramSpec() {
  const metric = metricOf(chosen), { edges, counts, width } = histogram(methods.map(m => scores(m.key, chosen)));
  return {
    kind: 'histogram', counts: true, title: metric.title, x_title: withUnit(metric), edges, lines: [], width,
    series: methods.map((m, i) => ({ name: m.title, x: [], y: counts[i] })),
  };
}

function histogramCaption() {
  const metric = metricOf(chosen), width = histogramSpec().width;
  const infinite = models.map(m => [m, images.filter(i => number(i.scores[m.key][chosen]) === Infinity).length]).filter(([, n]) => n);
  return `Number of images per bin of ${format(width, decimalsOf(width))}.`
    + infinite.map(([m, n]) => ` Left out: ${plural(n, 'identical image')} of ${m.title}, whose ${metric.title} is infinite.`).join('');
}

function boxesOption(width) {
  const metric = metricOf(chosen), categories = labels.length ? labels : [undefined];
  const data = m => categories.map(label => boxOf(scores(m.key, chosen, label)) ?? ['-', '-', '-', '-', '-']);
  return {
    ...base(), ...framed(methods.map(m => m.title), width),
    tooltip: {
      ...base().tooltip, trigger: 'item',
      formatter: p => `${escaped(p.seriesName)}${labels.length ? ', ' + escaped(p.name) : ''}<br>`
        + `median <b>${format(p.data[3], metric.digits)}</b><br>`
        + `quartiles ${format(p.data[2], metric.digits)} to ${format(p.data[4], metric.digits)}`,
    },
    xAxis: xAxis(labels.length ? 'label' : '', { type: 'category', data: labels.length ? labels : ['all images'] }),
    yAxis: yAxis(withUnit(metric), { scale: true }),
    series: methods.map(m => ({
      name: m.title, type: 'boxplot', boxWidth: [5, 30], data: data(m),
      itemStyle: { color: 'transparent', borderColor: colour(methodVariable(m.key)), borderWidth: 1.6 },
    })),
  };
}

function describeBoxes() {
  const metric = metricOf(chosen);
  const medians = label => methods.map(m => {
    const box = boxOf(scores(m.key, chosen, label));
    return `${m.title} median ${box ? format(box[2], metric.digits) : 'not defined'}`;
  }).join(', ');
  const each = labels.length ? labels.map(l => `label ${l}: ${medians(l)}`) : [medians()];
  return `Box plots of ${metric.title}: ${each.join('; ')}`;
}

// Violin of each method over all images, with the median and the quartiles as lines.
function violinsOption() {
  const metric = metricOf(chosen);
  return {
    ...base(), grid: { left: 52, right: 14, top: 38, bottom: 44 },
    tooltip: {
      ...base().tooltip, trigger: 'item',
      formatter: p => {
        const sorted = scores(methods[p.dataIndex].key, chosen).sort((a, b) => a - b);
        const [low, q1, median, q3, high] = [0, 0.25, 0.5, 0.75, 1].map(q => format(quantile(sorted, q), metric.digits));
        return `${escaped(methods[p.dataIndex].title)}, ${plural(sorted.length, 'image')}<br>median <b>${median}</b><br>`
          + `quartiles ${q1} to ${q3}<br>range ${low} to ${high}`;
      },
    },
    xAxis: xAxis('', {
      type: 'category', data: methods.map(m => m.title),
      axisLabel: { color: colour('--soft'), interval: 0, overflow: 'break', width: 90 },
    }),
    yAxis: yAxis(withUnit(metric), { scale: true }),
    series: [{
      type: 'custom', encode: { x: 0, y: [1, 2] },
      data: methods.map((m, i) => {
        const values = scores(m.key, chosen);
        return values.length ? [i, values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] : [i, '-', '-'];
      }),
      renderItem: drawViolin,
    }],
  };
}

function drawViolin({ dataIndex }, api) {
  const method = methods[dataIndex], values = scores(method.key, chosen).sort((a, b) => a - b);
  if (!values.length) return null;
  const [centre] = api.coord([dataIndex, values[0]]), half = Math.min(48, api.size([1, 0])[0] * 0.42);
  const y = value => api.coord([dataIndex, value])[1], shade = colour(methodVariable(method.key));
  const outline = violinOf(values), sides = [...outline, ...[...outline].reverse()]
    .map((p, i) => [centre + (i < outline.length ? 1 : -1) * half * p.width, y(p.value)]);
  const line = (q, width) => ({ type: 'line', shape: { x1: centre - width, x2: centre + width, y1: y(quantile(values, q)),
    y2: y(quantile(values, q)) }, style: { stroke: shade, lineWidth: q === 0.5 ? 2.4 : 1.2 } });
  return { type: 'group', children: [
    { type: 'polygon', shape: { points: sides }, style: { fill: shade, opacity: 0.25, stroke: shade, lineWidth: 1.2 } },
    line(0.25, half / 4), line(0.5, half / 2), line(0.75, half / 4),
  ] };
}

// Scatter plot of the scores of two methods, one point per image.
function pairSpec() {
  const metric = metricOf(chosen), [a, b] = couple.split('\n').map(methodOf);
  const both = images.filter(i => [a, b].every(m => Number.isFinite(number(i.scores[m.key][chosen]))));
  const values = m => both.map(i => number(i.scores[m.key][chosen]));
  return {
    kind: 'scatter', title: 'Image by image', diagonal: true,
    x_title: `${withUnit(metric)}, ${b.title}`, y_title: `${withUnit(metric)}, ${a.title}`,
    series: [{ name: a.title, x: values(b), y: values(a), names: both.map(i => i.name) }],
  };
}
function pairCaption() {
  const metric = metricOf(chosen), spec = pairSpec(), [a, b] = couple.split('\n').map(methodOf), { x, y } = spec.series[0];
  const wins = y.filter((v, i) => metric.higher_is_better ? v > x[i] : v < x[i]).length;
  return `Each point is one image. ${a.title} is better than ${b.title} for ${wins} of ${x.length} images, `
    + `${metric.higher_is_better ? 'above' : 'below'} the line.`
    + (x.some((_, i) => embedded(spec.series[0].names[i])) ? ' Click a point to show its image.' : '');
}

/** Draws the charts of a metric, and the controls that choose the metric and the pair of methods. */
export function drawDistributions() {
  chosen = (headline[1] ?? headline[0]).key;
  couple = (modelCouples[0] ?? couples[0] ?? []).join('\n');
  const figures = [
    chartFigure({ title: 'Histogram', option: width => chartOptions.histogram(histogramSpec(), width), caption: histogramCaption,
      describe: () => `Histogram of ${describeChart({ ...histogramSpec(), y_title: 'images in a bin' })}` }),
    chartFigure({ title: labels.length ? 'By label' : 'Box plots', option: boxesOption, describe: describeBoxes,
      caption: 'Median, quartiles, and whiskers to the farthest image within 1.5 interquartile ranges.' }),
    chartFigure({ title: 'Violins', option: violinsOption, describe: () => `Violin plots of ${metricOf(chosen).title} over all images`,
      caption: 'Density of the scores of single images (Gaussian kernel, Silverman\'s bandwidth), from the smallest to the largest; each '
        + 'violin has the same largest width. Lines: median and quartiles. Violins show how images differ, not how training runs do.' }),
    ...(couples.length ? [chartFigure({ title: 'Image by image', height: 360, option: width => chartOptions.scatter(pairSpec(), width),
      caption: pairCaption, describe: () => describeChart(pairSpec()), onPoint: lookAt })] : []),
  ];
  const redraw = () => redrawFigures(figures);
  $('distribution-tools').append(metricChoice(metrics, chosen, key => { chosen = key; redraw(); }));
  if (couples.length > 1)
    $('distribution-tools').append(choice('Image by image', dropdown('Image by image',
      couples.map(c => [c.join('\n'), `${methodOf(c[0]).title} against ${methodOf(c[1]).title}`]), couple,
      key => { couple = key; redraw(); })));
  $('distribution-charts').append(...figures);
  figures.forEach((f, i) => { f.id = ['histogram', 'boxes', 'violins', 'pairs'][i]; });
}
