// Distributions of the scores: histogram, box plots, and the images as points of two methods.

import { base, chartOptions, describeChart, framed, xAxis, yAxis } from './charts.js';
import { choice, dropdown, metricChoice } from './controls.js';
import { couples, embedded, headline, images, labels, methodOf, methods, metricOf, metrics, modelCouples, models } from './data.js';
import { $ } from '../../../Web/elements.js';
import { chartFigure, redrawFigures } from './figures.js';
import { lookAt } from './gallery.js';
import { withUnit } from './metrics.js';
import { decimalsOf, escaped, finite, format, number, plural } from '../../../Web/numbers.js';
import { boxOf, histogram } from './statistics.js';
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
  figures.forEach((f, i) => { f.id = ['histogram', 'boxes', 'pairs'][i]; });
}
