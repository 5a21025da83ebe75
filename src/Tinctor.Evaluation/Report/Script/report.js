// The page from top to bottom.

// ---- head

$('meta').textContent = [
  plural(evaluation.n, 'image'),
  evaluation.slides ? plural(evaluation.slides, 'slide') : null,
  labels.length ? plural(labels.length, 'label') : null,
  models.length > 1 ? plural(models.length, 'model') : null,
  new Date(evaluation.created).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' }),
  `Tinctor ${evaluation.versions.tinctor.split('+')[0]}`,
].filter(Boolean).join('  ·  ');

// ---- verdicts

const compared = (a, b, metric) => comparisons.find(c => c.a === a && c.b === b && c.metric === metric);
const couples = [...new Map(comparisons.map(c => [`${c.a}\n${c.b}`, [c.a, c.b]])).values()];
const modelCouples = couples.filter(([, b]) => methodOf(b).kind === 'model');
const summaryOf = (method, metric, group = groups[0]) => group.summary[method][metric];

function baselineVerdict(model) {
  const beats = evaluation.beats_baselines[model.key];
  const name = models.length > 1 ? `${model.title}: ` : '';
  const them = baselines.length === 2 ? 'both baselines' : `the ${baselines[0].title.toLowerCase()} baseline`;
  const against = comparisons.filter(c => c.a === model.key && ['psnr', 'ssim'].includes(c.metric) && methodOf(c.b).kind === 'baseline');
  const say = c => `${metricOf(c.metric).title} against ${methodOf(c.b).title.toLowerCase()}`;
  const lost = against.filter(c => c.better !== model.key);
  const doubtful = against.filter(c => c.better === model.key && !c.significant && c.p_adjusted !== null);
  const value = key => {
    const metric = metricOf(key);
    const others = baselines.map(b => `${format(summaryOf(b.key, key).mean, metric.digits)} for ${b.title.toLowerCase()}`);
    return `${metric.title} ${format(summaryOf(model.key, key).mean, metric.digits)}${unitOf(metric)} (${listing(others)})`;
  };
  return el('p', {}, name,
    el('strong', { class: beats ? 'yes' : 'no' }, beats ? `Beats ${them}: ` : `Does not beat ${them}: `),
    `${value('psnr')}; ${value('ssim')}.`,
    lost.length && lost.length < against.length ? ` Worse or equal: ${listing(lost.map(say))}.` : '',
    doubtful.length ? ` Not significant: ${listing(doubtful.map(say))}.` : '');
}

// Significant differences between two models: the first metrics with their size, the others as a number.
function coupleVerdict([a, b]) {
  if (evaluation.not_tested) {
    const differing = metrics.map(m => compared(a, b, m.key)).filter(c => c && c.n > 0);
    const first = differing.filter(c => c.better === a).length, second = differing.filter(c => c.better === b).length;
    return el('p', {}, `${methodOf(a).title} has the better mean in ${first} of ${differing.length} metrics, ${methodOf(b).title} in ${second}.`);
  }
  const tested = metrics.map(m => [m, compared(a, b, m.key)]).filter(([, c]) => c && c.n > 0);
  const size = ([m, c]) => `${m.title} (difference ${format(Math.abs(number(c.difference)), m.digits)}${unitOf(m)}, ${equalsP(c.p_adjusted)})`;
  const better = key => tested.filter(([, c]) => c.significant && c.better === key);
  const name = list => list.length <= 3 ? listing(list.map(size))
    : `${list.length} of ${tested.length} metrics, including ${listing(list.slice(0, 2).map(size))}`;
  const parts = [a, b].filter(key => better(key).length)
    .map(key => [el('strong', {}, `${methodOf(key).title} is significantly better`), ` in ${name(better(key))}`]);
  const open = tested.filter(([, c]) => !c.significant).map(([m]) => m.title);
  const rest = open.length === tested.length ? 'any metric' : open.length <= 4 ? listing(open) : `${open.length} other metrics`;
  return el('p', {}, `${methodOf(a).title} against ${methodOf(b).title}: `, ...parts.flatMap((part, i) => [i ? '; ' : '', ...part]),
    open.length ? `${parts.length ? '; no' : 'no'} significant difference in ${rest}` : '', '.');
}
const verdicts = models.map(baselineVerdict), verdictsOfCouples = modelCouples.map(coupleVerdict);
$('verdict').append(evaluation.not_tested ? el('p', {}, el('strong', {}, sentence(evaluation.not_tested))) : '',
  ...verdictsOfCouples.slice(0, 3), ...verdicts.slice(0, 4));
$('verdict').after(warningBox(evaluation.warnings, 'Before you use these numbers'));
if (verdictsOfCouples.length > 3 || verdicts.length > 4)
  $('verdict').append(el('p', {}, el('a', { href: '#comparisons' }, 'All comparisons are below.')));

// ---- headline numbers

function forest(metric) {
  const rows = methods.map(m => ({ method: m, summary: summaryOf(m.key, metric.key) }));
  const known = finite(rows.flatMap(r => [r.summary.mean, ...(r.summary.ci ?? [])]));
  const low = Math.min(...known), high = Math.max(...known), pad = (high - low || Math.abs(high) || 1) * 0.08;
  const x = value => `${clamp((number(value) - low + pad) / (high - low + 2 * pad), 0, 1) * 100}%`;
  const node = el('div', { class: 'forest' });
  for (const { method, summary } of rows) {
    const track = el('div', { class: 'track', style: { color: methodInk(method.key) } });
    if (summary.ci)
      track.append(el('i', { style: { left: x(summary.ci[0]), width: `calc(${x(summary.ci[1])} - ${x(summary.ci[0])})` } }));
    if (!Number.isNaN(number(summary.mean)))
      track.append(el('b', { style: { left: Number.isFinite(number(summary.mean)) ? x(summary.mean) : '100%' } }));
    node.append(
      el('span', { class: 'who' }, method.title), track,
      el('span', { class: 'number', title: summary.ci ? `${percent(bootstrap.confidence)} CI ${formatCi(summary.ci, metric.digits)}` : '' },
        format(summary.mean, metric.digits)));
  }
  for (const method of evaluation.methods.filter(m => m.not_computed))
    node.append(el('span', { class: 'who' }, method.title), el('span', { class: 'absent' }, 'not computed'), el('span', {}));
  return node;
}

// Model with the best mean of a metric; the first one of equals.
function bestModel(metric) {
  const value = m => number(summaryOf(m.key, metric.key).mean) * (metric.higher_is_better ? 1 : -1);
  return models.filter(m => !Number.isNaN(value(m))).toSorted((a, b) => value(b) - value(a))[0] ?? models[0];
}

headline.forEach((metric, i) => {
  const best = bestModel(metric), summary = summaryOf(best.key, metric.key), ci = formatCi(summary.ci, metric.digits);
  $('headline').append(el('article', { class: i < 2 ? 'metric' : 'metric minor' },
    el('div', { class: 'name' }, metric.title, el('span', {}, metric.higher_is_better ? 'higher is better' : 'lower is better')),
    el('div', { class: 'value', style: { color: methodInk(best.key) } }, format(summary.mean, metric.digits),
      metric.unit ? el('small', {}, ` ${metric.unit}`) : '', models.length > 1 ? el('small', { class: 'of' }, ` ${best.title}`) : ''),
    el('p', { class: 'ci' }, ci ? `${percent(bootstrap.confidence)} CI ${ci}` : 'no confidence interval',
      summary.infinite ? ` · ${plural(summary.infinite, 'identical image')}` : ''),
    forest(metric)));
});

// ---- all metrics, method by method

const bestOfMetric = (metric, group) => {
  const values = methods.map(m => number(summaryOf(m.key, metric.key, group).mean)).filter(v => !Number.isNaN(v));
  const best = metric.higher_is_better ? Math.max(...values) : Math.min(...values);
  return values.length > 1 && Math.min(...values) !== Math.max(...values) ? best : null;
};
const estimate = (summary, digits) =>
  [format(summary.mean, digits), el('small', {}, formatCi(summary.ci, digits) ?? (summary.n ? 'no interval' : ''))];
const methodHead = m => el('th', { scope: 'col' }, el('span', { class: 'swatch', style: { background: methodInk(m.key) } }), m.title);
const methodCells = (metric, group) => {
  const best = bestOfMetric(metric, group);
  return methods.map(m => {
    const summary = summaryOf(m.key, metric.key, group);
    return el('td', { class: best !== null && number(summary.mean) === best ? 'best' : '' }, ...estimate(summary, metric.digits));
  });
};

const arrow = m => el('span', { class: 'arrow', title: `${m.higher_is_better ? 'higher' : 'lower'} is better` }, m.higher_is_better ? '↑' : '↓');

function resultsTable() {
  const bodies = [...new Set(metrics.map(m => m.group))].map(group => el('tbody', {},
    el('tr', { class: 'group' }, el('th', { class: 'text', colspan: methods.length + 1, scope: 'rowgroup' }, groupTitle(group))),
    ...metrics.filter(m => m.group === group).map(m => el('tr', {},
      el('th', { class: 'text', scope: 'row' }, withUnit(m), ' ', arrow(m)),
      ...methodCells(m, groups[0])))));
  return scrolling('Means of all metrics', el('table', { class: 'estimates', 'aria-label': 'Means of all metrics' },
    el('thead', {}, el('tr', {}, el('th', { class: 'text', scope: 'col' }, 'Metric'), ...methods.map(methodHead))), ...bodies));
}

function spreadTable(metric) {
  const columns = [
    { title: 'Method', text: true, value: m => m.title, show: m => m.title },
    ...['n', 'mean', 'std', 'median', 'min', 'max'].map(key => ({
      title: { n: 'n', mean: 'Mean', std: 'SD', median: 'Median', min: 'Min', max: 'Max' }[key],
      value: m => number(summaryOf(m.key, metric.key)[key]),
      show: m => format(summaryOf(m.key, metric.key)[key], key === 'n' ? 0 : metric.digits),
    })),
  ];
  return sortableTable(`Spread of ${metric.title}`, columns, methods);
}

function labelTable(metric) {
  const rows = [...groups.slice(1), groups[0]];
  return scrolling(`${metric.title} by label`, el('table', { class: 'estimates', 'aria-label': `${metric.title} by label` },
    el('thead', {},
      el('tr', {}, el('th', { class: 'text', scope: 'col' }, 'Label'), el('th', { scope: 'col' }, 'n'), ...methods.map(methodHead))),
    el('tbody', {}, ...rows.map(group => el('tr', { class: group.label === null ? 'total' : '' },
      el('th', { class: 'text', scope: 'row' }, group.label ?? 'All'), el('td', {}, group.n.toLocaleString('en')),
      ...methodCells(metric, group))))));
}

const tools = () => el('div', { class: 'tools' });
const perMetric = (name, node) => {
  const bar = tools();
  const entries = [...headline, ...metrics.filter(m => !headline.includes(m))]
    .map(m => ({ key: m.key, title: m.title, group: groupTitle(m.group), node: node(m), print: headline.includes(m) }));
  const all = panels(name, entries.map(e => ({ ...e, node: el('div', {}, el('p', { class: 'panel-title' }, e.title), e.node) })), bar);
  return [bar, all];
};

$('results-tables').append(
  el('div', { class: 'block' },
    el('p', {}, `Mean over ${plural(evaluation.n, 'image')} with its ${ciName} below. `
      + 'Bold: best of each row. ↑ higher is better, ↓ lower is better.'),
    resultsTable()));
if (labels.length)
  $('results-tables').append(el('h3', {}, 'By label'), el('div', { class: 'block' },
    el('p', {}, `Mean of each label with its ${ciName} below. Labels from ${evaluation.labels_from}.`), ...perMetric('Metric', labelTable)));
$('results-tables').append(el('details', { class: 'fold' },
  el('summary', {}, 'Medians, standard deviations and ranges'), ...perMetric('Metric', spreadTable)));

if (!hasDab)
  $('results-tables').append(el('p', { class: 'note' },
    'No DAB was found in the real images, so DAB metrics and maps are hidden. metrics.json has the numbers.'));
const absent = evaluation.metrics.filter(m => m.not_computed);
if (absent.length)
  $('results-tables').append(el('p', { class: 'note' }, `Not computed: ${absent.map(m => `${m.title} (${m.not_computed})`).join('; ')}.`));

// ---- paired differences

// Confidence interval of a difference: zero is at the same place in all rows, the scale is per row.
function intervalPlot(c) {
  const reach = Math.max(...finite([...(c.ci ?? []), c.difference]).map(Math.abs), 0) * 1.15 || 1;
  const x = v => 60 + clamp(v / reach, -1, 1) * 56;
  const parts = [svg('line', { x1: 60, x2: 60, y1: 1, y2: 19, class: 'zero' })];
  if (c.ci) parts.push(svg('line', { x1: x(c.ci[0]), x2: x(c.ci[1]), y1: 10, y2: 10, class: 'span' }));
  if (Number.isFinite(number(c.difference))) parts.push(svg('circle', { cx: x(number(c.difference)), cy: 10, r: 4 }));
  return svg('svg', { class: `interval ${c.significant ? 'clear' : ''}`, viewBox: '0 0 120 20', 'aria-hidden': 'true' }, ...parts);
}

function conclusion(c) {
  if (c.p_adjusted === null) return c.difference === 0 ? 'equal' : 'not tested';
  return c.significant ? `${methodOf(c.better).title} better` : 'no significant difference';
}

function comparisonTable([a, b]) {
  const rows = metrics.map(m => ({ metric: m, c: compared(a, b, m.key) })).filter(r => r.c);
  const mean = key => ({
    title: methodOf(key).title, value: r => number(summaryOf(key, r.metric.key).mean),
    show: r => format(summaryOf(key, r.metric.key).mean, r.metric.digits),
  });
  const tone = r => r.c.significant ? (r.c.better === a ? 'better' : 'worse') : 'open';
  return sortableTable(`${methodOf(a).title} against ${methodOf(b).title}`, [
    { title: 'Metric', text: true, value: r => r.metric.title, show: r => [withUnit(r.metric)] },
    mean(a), mean(b),
    { title: 'Advantage', hint: `Mean difference; positive if ${methodOf(a).title} is better`, value: r => number(r.c.difference),
      show: r => [signed(r.c.difference, r.metric.digits), el('small', {}, formatCi(r.c.ci, r.metric.digits) ?? '')] },
    { title: 'Interval', hint: 'Confidence interval relative to zero; the scale differs by row', value: r => r.c.ci?.[0] ?? NaN,
      show: r => intervalPlot(r.c) },
    { title: 'p', hint: 'Wilcoxon signed-rank test with Holm correction', value: r => r.c.p_adjusted ?? NaN,
      show: r => formatP(r.c.p_adjusted) },
    { title: 'Conclusion', text: true, value: r => conclusion(r.c), show: r => conclusion(r.c), tone },
  ], rows);
}

const testedOn = comparisons.length ? Math.max(...comparisons.map(c => c.n)) : 0;
$('comparisons-note').textContent = `Mean paired differences over ${plural(testedOn, 'image')} with their ${ciName} below; positive values mean that the first `
  + 'method is better. '
  + (evaluation.not_tested ? sentence(evaluation.not_tested) : `p: Wilcoxon signed-rank test over ${bootstrap.unit}s with Holm correction over all comparisons `
  + `of a metric; significant below ${format(1 - bootstrap.confidence, 2)}.`);
$('comparisons-tables').append(...(() => {
  const bar = tools(), ordered = [...modelCouples, ...couples.filter(c => !modelCouples.includes(c))];
  const title = ([a, b]) => `${methodOf(a).title} against ${methodOf(b).title.replace(/^(Identity|Mean colour)$/, w => w.toLowerCase())}`;
  return [bar, panels('Comparison', ordered.map(couple => ({
    key: couple.join('\n'), title: title(couple),
    node: el('div', {}, el('p', { class: 'panel-title' }, title(couple)), comparisonTable(couple)),
  })), bar)];
})());

// ---- distributions

let chosen = headline[1]?.key ?? headline[0].key;
const scores = (method, key, label) => finite(images.filter(i => label === undefined || i.label === label).map(i => i.scores[method][key]));
const quantile = (sorted, q) => {
  const at = q * (sorted.length - 1), below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
};

function histogramSpec() {
  const metric = metricOf(chosen), values = methods.map(m => scores(m.key, chosen)), all = values.flat();
  const wanted = clamp(Math.round(2 * Math.sqrt(all.length)), 16, 40), range = roundRange(all, wanted);
  const count = Math.max(1, Math.round((range.max - range.min) / range.interval));
  const edges = Array.from({ length: count + 1 }, (_, i) => range.min + i * range.interval);
  const counted = list => {
    const bins = new Array(count).fill(0);
    for (const v of list) bins[clamp(Math.floor((v - range.min) / range.interval), 0, count - 1)]++;
    return bins;
  };
  return {
    kind: 'histogram', counts: true, title: metric.title, x_title: withUnit(metric), edges, lines: [], width: range.interval,
    series: methods.map((m, i) => ({ name: m.title, x: [], y: counted(values[i]) })),
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
  const data = m => categories.map(label => {
    const sorted = scores(m.key, chosen, label).sort((a, b) => a - b);
    if (!sorted.length) return ['-', '-', '-', '-', '-'];
    const [q1, q2, q3] = [0.25, 0.5, 0.75].map(q => quantile(sorted, q)), reach = 1.5 * (q3 - q1);
    const inside = sorted.filter(v => v >= q1 - reach && v <= q3 + reach);
    return [inside[0], q1, q2, q3, inside.at(-1)];
  });
  return {
    ...base(), ...framed(methods.map(m => m.title), width),
    tooltip: {
      ...base().tooltip, trigger: 'item',
      formatter: p => `${escaped(p.seriesName)}${labels.length ? ', ' + escaped(p.name) : ''}<br>`
        + `median <b>${format(p.data[3], metric.digits)}</b><br>quartiles ${format(p.data[2], metric.digits)} to ${format(p.data[4], metric.digits)}`,
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
    const sorted = scores(m.key, chosen, label).sort((a, b) => a - b);
    return `${m.title} median ${sorted.length ? format(quantile(sorted, 0.5), metric.digits) : 'not defined'}`;
  }).join(', ');
  const each = labels.length ? labels.map(l => `label ${l}: ${medians(l)}`) : [medians()];
  return `Box plots of ${metric.title}: ${each.join('; ')}`;
}

// Scatter plot of the scores of two methods, one point per image.
let couple = (modelCouples[0] ?? couples[0] ?? []).join('\n');
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
    + (x.some((_, i) => galleryOf.has(spec.series[0].names[i])) ? ' Click a point to show its image.' : '');
}

const distributionFigures = [
  chartFigure({ title: 'Histogram', option: width => chartOptions.histogram(histogramSpec(), width), caption: histogramCaption,
    describe: () => `Histogram of ${describeChart({ ...histogramSpec(), y_title: 'images in a bin' })}` }),
  chartFigure({ title: labels.length ? 'By label' : 'Box plots', option: boxesOption, describe: describeBoxes,
    caption: 'Median, quartiles, and whiskers to the farthest image within 1.5 interquartile ranges.' }),
  ...(couples.length ? [chartFigure({ title: 'Image by image', height: 360, option: width => chartOptions.scatter(pairSpec(), width),
    caption: pairCaption, describe: () => describeChart(pairSpec()), onPoint: lookAt })] : []),
];
const drawDistributions = () => distributionFigures.forEach(f => f.draw());
$('distribution-tools').append(metricChoice(metrics, chosen, key => { chosen = key; drawDistributions(); }));
if (couples.length > 1)
  $('distribution-tools').append(choice('Image by image', dropdown('Image by image',
    couples.map(c => [c.join('\n'), `${methodOf(c[0]).title} against ${methodOf(c[1]).title}`]), couple,
    key => { couple = key; drawDistributions(); })));
$('distribution-charts').append(...distributionFigures);
distributionFigures.forEach((f, i) => { f.id = ['histogram', 'boxes', 'pairs'][i]; });

// ---- sections of analyses

$('sections').append(...sectionNodes(sections));

// ---- scores of all images

const tableState = { column: null, descending: false, query: '', label: '', page: 0, what: `of:${models[0].key}` };
const pageSize = 15;
const tableBody = el('tbody'), tableHead = el('thead');
$('table').append(el('caption', { class: 'visually-hidden' }, 'Scores of every image'), tableHead, tableBody);
let columns = [];

// Scores of one method, or the advantage of one method over another.
function chooseColumns() {
  const [kind, a, b] = tableState.what.split(/:|\n/);
  const score = (image, key, metric) => number(image.scores[key][metric]);
  const value = metric => kind === 'of' ? i => score(i, a, metric.key)
    : i => (metric.higher_is_better ? 1 : -1) * (score(i, a, metric.key) - score(i, b, metric.key));
  const text = (title, get) => ({ key: title, title, text: true, value: get, show: i => get(i) ?? '–' });
  columns = [
    { ...text('Image', i => i.name), show: i => galleryOf.has(i.name)
      ? el('button', { type: 'button', class: 'link', title: 'Show this image', onclick: () => lookAt(i.name) }, i.name) : i.name },
    ...(labels.length ? [text('Label', i => i.label)] : []), ...(hasSlides ? [text('Slide', i => i.slide_id)] : []),
    ...metrics.map(m => ({
      key: m.key, title: m.title, value: value(m), show: i => kind === 'of' ? format(value(m)(i), m.digits) : signed(value(m)(i), m.digits),
      tone: kind === 'of' ? undefined : i => value(m)(i) > 0 ? 'better' : value(m)(i) < 0 ? 'worse' : '',
    })),
  ];
  const key = tableState.column?.key ?? (metricOf('ssim') ? 'ssim' : metrics[0].key);
  tableState.column = columns.find(c => c.key === key) ?? columns[0];
  tableHead.replaceChildren(sortHeadings(columns, tableState, () => { tableState.page = 0; fillTable(); }));
  fillTable();
}

const found = el('span', { role: 'status' });
const turn = by => { tableState.page += by; fillTable(); };
const previous = el('button', { class: 'quiet', type: 'button', onclick: () => turn(-1) }, 'Previous');
const next = el('button', { class: 'quiet', type: 'button', onclick: () => turn(1) }, 'Next');
$('pager').append(previous, next, found);

function fillTable() {
  const rows = images
    .filter(i => (!tableState.label || i.label === tableState.label)
      && [i.name, i.label, i.slide_id].some(t => t?.toLowerCase().includes(tableState.query)))
    .toSorted(comparing(tableState.column, tableState.descending));
  const pages = Math.max(1, Math.ceil(rows.length / pageSize));
  tableState.page = clamp(tableState.page, 0, pages - 1);
  const from = tableState.page * pageSize, visible = rows.slice(from, from + pageSize);
  tableBody.replaceChildren(...visible.map(image => el('tr', {}, ...columns.map((c, i) => tableCell(c, image, i, null)))));
  previous.disabled = tableState.page === 0;
  next.disabled = tableState.page === pages - 1;
  found.textContent = rows.length ? `${from + 1} to ${from + visible.length} of ${plural(rows.length, 'image')}` : 'No image matches';
}

$('table-tools').append(
  el('input', {
    type: 'search', placeholder: 'Filter by name, label or slide', 'aria-label': 'Filter by name, label or slide',
    oninput: e => { tableState.query = e.target.value.toLowerCase(); tableState.page = 0; fillTable(); },
  }),
  labels.length ? choice('Label', dropdown('Label', [['', 'All'], ...labels.map(l => [l, l])], '',
    value => { tableState.label = value; tableState.page = 0; fillTable(); })) : '',
  choice('Scores', dropdown('Scores', [
    ...methods.map(m => [`of:${m.key}`, m.title, 'Scores of']),
    ...couples.map(([a, b]) => [`over:${a}\n${b}`, `${methodOf(a).title} over ${methodOf(b).title}`, 'Advantage of'])],
  tableState.what, what => { tableState.what = what; tableState.page = 0; chooseColumns(); })));
chooseColumns();

// ---- training

if (run) {
  $('training').hidden = false;
  $('training-note').textContent =
    `Curves of ${run.name} over training steps: logged values (thin) and their mean over a twentieth of the run (thick).`;
  // A centred window does not lag behind, unlike a running mean.
  const smooth = values => {
    const reach = Math.floor(values.length / 40);
    return values.map((_, i) => {
      const near = values.slice(Math.max(0, i - reach), i + reach + 1).filter(v => v !== null);
      return near.length ? near.reduce((a, b) => a + b) / near.length : null;
    });
  };
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
  $('curves').append(...Object.entries(run.curves).filter(([, values]) => values.some(v => v !== null)).map(curve));
  for (const [name, text] of Object.entries(run.documents))
    $('documents').append(el('details', { class: 'screen-only' },
      el('summary', {}, `Settings and environment: ${name}`), el('pre', { tabindex: '0' }, text)));
}

// ---- how to read, how it was computed

const units = bootstrap.unit === 'slide' ? 'slides' : 'images';
$('how').append(el('ul', {},
  el('li', {}, 'PSNR, SSIM, MAE and RMSE compare corresponding pixels and are misleading for misaligned pairs: '
    + 'serial sections show different cells, a shift of a few pixels can lower a score more than a wrong stain, '
    + 'and blurred images score better than sharp ones. Inspect the images too.'),
  el('li', {}, 'Scores depend more on the data set than on the method. Compare only scores of the same pairs, image size and definition.'),
  el('li', {}, 'The identity baseline returns the source image; the mean colour baseline returns a flat image. '
    + 'A model should beat both.'),
  el('li', {}, `Intervals: ${bootstrap.description}. They cover the variation between ${units} of the same kind, `
    + 'not between scanners, laboratories or training runs.'),
  el('li', {}, 'A difference that is not significant may become significant with more images. '
    + 'A significant difference may be too small to matter; consider its size.'),
  el('li', {}, 'Good scores do not prove that single cells are right. Virtual staining can add or remove structures; '
    + 'it is for research use only, not for diagnosis.'),
  el('li', {}, run ? 'The section Training has the settings of the training. The evaluated images must not be training images.'
    : 'The training data is unknown, as no run folder was given.')));

const defined = m => sentence(m.definition) + (m.not_computed ? ` Not computed: ${m.not_computed}.` : '');
$('definitions').append(definitionList([
  ...evaluation.metrics.map(m => ({ term: withUnit(m), text: defined(m) })),
  ...evaluation.methods.map(m => ({ term: m.title, text: defined(m) })),
]));
const inputNames = { real: 'Real', source: 'Source', labels: 'Labels', train_real: 'Training targets', run: 'Run' };
$('provenance').append(definitionList([
  { term: 'Images', text: `${evaluation.n.toLocaleString('en')}, matched by file name` },
  ...Object.entries(evaluation.inputs.stained).map(([key, path]) => ({ term: models.find(m => m.key === key)?.title ?? key, text: path })),
  ...Object.entries(inputNames).filter(([key]) => evaluation.inputs[key]).map(([key, term]) => ({ term, text: evaluation.inputs[key] })),
  ...(evaluation.labels_from ? [{ term: 'Labels from', text: evaluation.labels_from }] : []),
  { term: 'Intervals', text: bootstrap.description },
  { term: 'Tests', text: `Wilcoxon's signed-rank test, two-sided, over ${units}; Holm's correction over all comparisons by one metric` },
  ...sections.flatMap(s => s.provenance.map(p => ({ term: `${s.title}: ${p.term}`, text: p.text }))),
  { term: 'Made', text: `${evaluation.created} by Tinctor ${evaluation.versions.tinctor}, .NET ${evaluation.versions.dotnet}, `
    + evaluation.versions.os },
]));

preparePlates();
