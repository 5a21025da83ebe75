'use strict';
(() => {
  const { evaluation, gallery, run } = JSON.parse(document.getElementById('data').textContent);
  const { metrics, images, groups, bootstrap } = evaluation;
  const methods = evaluation.methods.filter(m => !m.not_computed);
  const baselines = methods.filter(m => m.key !== 'model');
  const labels = groups.slice(1).map(g => g.label);
  const hasSlides = images.some(i => i.slide_id !== null);

  // ---- helpers

  const $ = id => document.getElementById(id);

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
      else if (key === 'style') Object.assign(node.style, value);
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value === true ? '' : value);
    }
    node.append(...children.filter(c => c !== null && c !== undefined && c !== ''));
    return node;
  }

  const metricOf = key => metrics.find(m => m.key === key);
  const percent = p => `${Math.round(p * 100)}%`;
  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
  const plural = (n, one) => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`;

  // Infinite PSNRs arrive as the string "Infinity".
  function format(value, digits) {
    if (value === null || value === undefined) return '–';
    const number = Number(value);
    if (!Number.isFinite(number)) return number > 0 ? '∞' : '−∞';
    return number.toFixed(digits).replace('-', '−');
  }
  const formatCi = (ci, digits) => ci ? `${format(ci[0], digits)} to ${format(ci[1], digits)}` : null;
  const signed = (value, digits) => (Number(value) > 0 ? '+' : '') + format(value, digits);

  function segments(name, options, current, pick) {
    const group = el('div', { class: 'segments', role: 'group', 'aria-label': name });
    for (const [value, text] of options)
      group.append(el('button', {
        type: 'button', 'data-value': value, 'aria-pressed': String(value === current),
        onclick: () => { press(group, value); pick(value); },
      }, text));
    return group;
  }
  function press(group, value) {
    for (const button of group.children) button.setAttribute('aria-pressed', String(button.dataset.value === value));
  }
  const choice = (text, control) => el('span', { class: 'choice' }, el('span', {}, text), control);

  // ---- theme

  const redraw = [];
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const methodColour = key => colour({ model: '--model', identity: '--identity', mean_colour: '--mean' }[key]);
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  function setTheme(dark) {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    redraw.forEach(draw => draw());
  }
  setTheme(systemDark.matches);
  systemDark.addEventListener('change', e => setTheme(e.matches));
  $('theme').addEventListener('click', () => setTheme(document.documentElement.dataset.theme !== 'dark'));

  // ---- head and verdict

  $('meta').textContent = [
    plural(evaluation.n, 'image'),
    evaluation.slides ? plural(evaluation.slides, 'slide') : null,
    labels.length ? plural(labels.length, 'label') : null,
    new Date(evaluation.created).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' }),
    `Tinctor ${evaluation.versions.tinctor.split('+')[0]}`,
  ].filter(Boolean).join('  ·  ');

  const listing = words => words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

  function verdict() {
    const better = evaluation.beats_baselines;
    const names = baselines.length === 2 ? 'both baselines' : `the ${baselines[0].title.toLowerCase()} baseline`;
    const doubtful = evaluation.comparisons.filter(c => c.beats && !c.clear && c.ci);
    const lost = evaluation.comparisons.filter(c => !c.beats);
    const say = c => `${metricOf(c.metric).title} against ${methods.find(m => m.key === c.baseline).title.toLowerCase()}`;
    const of = key => {
      const metric = metricOf(key), summary = groups[0].summary;
      const others = baselines.map(b => `${format(summary[b.key][key].mean, metric.digits)} for ${b.title.toLowerCase()}`);
      return `${metric.title} ${format(summary.model[key].mean, metric.digits)}${metric.unit ? ' ' + metric.unit : ''} `
        + `(${listing(others)})`;
    };
    return [
      el('strong', { class: better ? 'yes' : 'no' }, better ? `Beats ${names}: ` : `Does not beat ${names}: `),
      `${of('psnr')}; ${of('ssim')}.`,
      lost.length && lost.length < evaluation.comparisons.length ? ` It is worse or equal by ${listing(lost.map(say))}.` : '',
      doubtful.length ? ` The interval of the difference includes zero for ${listing(doubtful.map(say))}.` : '',
    ];
  }
  $('verdict').append(...verdict());

  // ---- headline numbers

  function forest(metric) {
    const rows = methods.map(m => ({ method: m, summary: groups[0].summary[m.key][metric.key] }));
    const finite = rows.flatMap(r => [r.summary.mean, ...(r.summary.ci ?? [])]).map(Number).filter(Number.isFinite);
    const low = Math.min(...finite), high = Math.max(...finite), pad = (high - low || Math.abs(high) || 1) * 0.08;
    const x = value => `${clamp((Number(value) - low + pad) / (high - low + 2 * pad), 0, 1) * 100}%`;
    const grid = el('div', { class: 'forest' });
    for (const { method, summary } of rows) {
      const track = el('div', { class: `track c-${method.key}` });
      if (summary.ci)
        track.append(el('i', { style: { left: x(summary.ci[0]), width: `calc(${x(summary.ci[1])} - ${x(summary.ci[0])})` } }));
      track.append(el('b', { style: { left: Number.isFinite(Number(summary.mean)) ? x(summary.mean) : '100%' } }));
      grid.append(
        el('span', {}, method.title), track,
        el('span',
          { class: 'number', title: summary.ci ? `${percent(bootstrap.confidence)} CI ${formatCi(summary.ci, metric.digits)}` : '' },
          format(summary.mean, metric.digits)));
    }
    for (const method of evaluation.methods.filter(m => m.not_computed))
      grid.append(el('span', {}, method.title), el('span', { class: 'absent' }, 'not computed'), el('span', {}));
    return grid;
  }

  metrics.forEach((metric, i) => {
    const summary = groups[0].summary.model[metric.key];
    const ci = formatCi(summary.ci, metric.digits);
    $('headline').append(el('article', { class: i < 2 ? 'metric' : 'metric minor' },
      el('div', { class: 'name' }, metric.title, el('span', {}, metric.higher_is_better ? 'higher is better' : 'lower is better')),
      el('div', { class: 'value' }, format(summary.mean, metric.digits), metric.unit ? el('small', {}, ' ' + metric.unit) : ''),
      el('p', { class: 'ci' }, ci ? `${percent(bootstrap.confidence)} CI ${ci}` : 'no confidence interval',
        summary.infinite ? ` · ${plural(summary.infinite, 'identical image')}` : ''),
      forest(metric)));
  });

  // ---- result tables

  function resultTable(title, groupList, first, values, definition) {
    const head = el('tr', {}, el('th', { class: 'text', scope: 'col' }, first), el('th', { scope: 'col' }, 'n'),
      ...metrics.map(m => el('th', { scope: 'col' }, m.title + (m.unit === 'dB' ? ' (dB)' : ''))));
    const body = el('tbody', {}, ...groupList.map(([name, cssClass, n, of]) => el('tr', {},
      el('th', { class: `text ${cssClass}`, scope: 'row' }, name), el('td', {}, String(n)),
      ...metrics.map(m => el('td', {}, ...values(of(m.key), m))))));
    return el('div', { class: 'block' }, el('p', {}, definition),
      el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': title },
        el('table', { 'aria-label': title }, el('thead', {}, head), body)));
  }
  const meanCell = (s, m) => [format(s.mean, m.digits), el('br'), el('small', {}, formatCi(s.ci, m.digits) ?? '–')];
  const spreadCell = (s, m) => [format(s.median, m.digits), el('br'), el('small', {}, `± ${format(s.std, m.digits)}`)];
  const advantageCell = (s, m) => [
    el('span', { class: Number(s.mean) > 0 ? 'better' : 'worse' }, signed(s.mean, m.digits)), el('br'),
    el('small', {}, formatCi(s.ci, m.digits) ?? '–')];

  const overall = methods.map(m => [m.title, `c-${m.key}`, groups[0].n, key => groups[0].summary[m.key][key]]);
  const ciName = `${percent(bootstrap.confidence)} confidence interval`;
  const advantageTable = b => resultTable(`Advantage by label over ${b.title}`,
    groups.slice(1).map(g => [g.label, '', g.n, key => g.advantage[b.key][key]]), 'Label', advantageCell,
    `Advantage over ${b.title.toLowerCase()} by label, image by image (positive is better): mean, with ${ciName} below.`);
  $('results-tables').append(
    resultTable('Means', overall, 'All images', meanCell, `Mean over images, with ${ciName} below.`),
    resultTable('Advantage', baselines.map(b => [`over ${b.title.toLowerCase()}`, '', groups[0].n, key => groups[0].advantage[b.key][key]]),
      'Advantage', advantageCell,
      `How much better the stained image is than a baseline, image by image (positive is better): mean, with ${ciName} below.`));
  if (labels.length)
    $('results-tables').append(
      resultTable('Means by label', groups.slice(1).map(g => [g.label, '', g.n, key => g.summary.model[key]]), 'Label', meanCell,
        `Stained images by label: mean, with ${ciName} below. Labels from ${evaluation.labels_from}.`));
  $('results-tables').append(el('details', {}, el('summary', {}, labels.length ? 'Medians, and advantage by label' : 'Medians'),
    resultTable('Medians', overall, 'All images', spreadCell, 'Median over images, with standard deviation below.'),
    ...(labels.length ? baselines.map(advantageTable) : [])));

  // ---- gallery

  const roles = [['source', 'Source'], ['stained', 'Stained'], ['real', 'Real']].filter(([role]) => gallery.images.every(i => i[role]));
  const roleTitle = Object.fromEntries(roles);
  const byName = new Map(images.map(i => [i.name, i]));
  const view = { index: 0, mode: 'swipe', left: 'stained', right: 'real', split: 0.5, scale: 1, x: 0, y: 0 };
  const stage = $('stage');
  let layers = [], handle = null;

  $('gallery-note').textContent = (gallery.complete
    ? 'All images. '
    : `${gallery.images.length} of ${images.length} images: the worst, median and best by `
      + `SSIM${labels.length ? ', and the median of each label' : ''}. `)
    + `Shown as JPEG copies of at most ${gallery.max_side} px; the metrics were computed on the original files.`;

  const button = (text, name, onclick) => el('button', { class: 'quiet', type: 'button', 'aria-label': name, title: name, onclick }, text);
  const modes = segments('Mode', [['swipe', 'Swipe'], ['side', 'Side by side']], view.mode, mode => { view.mode = mode; build(); });
  const leftPick = segments('Left of the divider', roles, view.left, role => pickRole('left', role));
  const rightPick = segments('Right of the divider', roles, view.right, role => pickRole('right', role));
  const sideChoices = [choice('Left', leftPick), choice('Right', rightPick)];
  $('tools').append(modes, ...sideChoices, el('span', { class: 'grow' }),
    el('span', { class: 'buttons' },
      button('←', 'Previous image', () => show(view.index - 1)), button('→', 'Next image', () => show(view.index + 1)),
      button('−', 'Zoom out', () => zoomBy(1 / 1.5)), button('+', 'Zoom in', () => zoomBy(1.5)), button('Fit', 'Whole image', reset)));

  // Choosing the same version on both sides would compare nothing: the other side takes what this one had.
  function pickRole(side, role) {
    const other = side === 'left' ? 'right' : 'left';
    if (view[other] === role) view[other] = view[side];
    view[side] = role;
    build();
  }

  const shown = () => view.mode === 'swipe' ? [view.left, view.right] : roles.map(([role]) => role);

  function build() {
    press(leftPick, view.left);
    press(rightPick, view.right);
    sideChoices.forEach(c => { c.hidden = view.mode !== 'swipe'; c.style.display = c.hidden ? 'none' : ''; });
    stage.classList.toggle('side', view.mode === 'side');
    const entry = gallery.images[view.index];
    layers = shown().map((role, i) => {
      const image = el('img', { src: entry[role], alt: `${roleTitle[role]} image ${entry.name}`, draggable: 'false' });
      image.addEventListener('load', place);
      const tag = el('span', { class: `tag ${view.mode === 'swipe' && i === 1 ? 'right' : 'left'}` }, roleTitle[role]);
      return el('div', { class: 'layer', 'data-role': role }, image, tag);
    });
    handle = view.mode === 'side' ? null : el('div', {
      class: 'handle', role: 'slider', tabindex: '0', 'aria-orientation': 'horizontal', 'aria-valuemin': '0', 'aria-valuemax': '100',
      'aria-label': `Divider between ${roleTitle[view.left]} and ${roleTitle[view.right]}`, onpointerdown: startSplit, onkeydown: splitKeys,
    });
    stage.setAttribute('aria-label', `${listing(shown().map(r => roleTitle[r]))} of ${entry.name}`);
    stage.replaceChildren(...layers, ...(handle ? [handle] : []));
    place();
  }

  // All layers share one transform, so zoom and pan stay in step.
  function place() {
    if (!layers.length) return;
    const width = layers[0].clientWidth, height = layers[0].clientHeight;
    const image = byName.get(gallery.images[view.index].name);
    const fit = Math.min(width / image.width, height / image.height);
    const w = image.width * fit, h = image.height * fit, s = view.scale;
    const limit = (offset, size, room) => size * s <= room ? (room - size * s) / 2 : clamp(offset, room - size * s, 0);
    view.x = limit(view.x, w, width);
    view.y = limit(view.y, h, height);
    for (const layer of layers) {
      const img = layer.firstChild;
      img.style.width = `${w}px`;
      img.style.height = `${h}px`;
      img.style.transform = `translate(${view.x}px, ${view.y}px) scale(${s})`;
      img.classList.toggle('pixels', img.naturalWidth > 0 && w * s / img.naturalWidth > 3);
    }
    stage.classList.toggle('zoomed', s > 1);
    placeSplit();
  }

  function placeSplit() {
    if (!handle) return;
    const at = `${view.split * 100}%`;
    layers[0].style.clipPath = `inset(0 calc(100% - ${at}) 0 0)`;
    layers[1].style.clipPath = `inset(0 0 0 ${at})`;
    handle.style.left = at;
    handle.setAttribute('aria-valuenow', String(Math.round(view.split * 100)));
    handle.setAttribute('aria-valuetext', `${Math.round(view.split * 100)}% ${roleTitle[view.left]}`);
  }

  function moveSplit(to) { view.split = clamp(to, 0, 1); placeSplit(); }
  function startSplit(event) {
    event.stopPropagation();
    handle.setPointerCapture(event.pointerId);
    const move = e => { const box = stage.getBoundingClientRect(); moveSplit((e.clientX - box.left) / box.width); };
    const end = () => ['pointermove', 'pointerup', 'pointercancel'].forEach((type, i) => handle.removeEventListener(type, i ? end : move));
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', end);
    handle.addEventListener('pointercancel', end);
  }
  function splitKeys(event) {
    const to = { ArrowLeft: view.split - 0.02, ArrowRight: view.split + 0.02, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    moveSplit(to);
  }

  function zoomAt(factor, x, y) {
    const scale = clamp(view.scale * factor, 1, 24), by = scale / view.scale;
    view.x = x - (x - view.x) * by;
    view.y = y - (y - view.y) * by;
    view.scale = scale;
    place();
  }
  const zoomBy = factor => zoomAt(factor, layers[0].clientWidth / 2, layers[0].clientHeight / 2);
  function reset() { view.scale = 1; place(); }

  // A pointer's place inside its own pane.
  function inPane(event) {
    const pane = (view.mode === 'side' ? layers.find(l => within(l.getBoundingClientRect(), event)) : null) ?? layers[0];
    const box = pane.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  const within = (box, e) => e.clientX >= box.left && e.clientX <= box.right && e.clientY >= box.top && e.clientY <= box.bottom;

  stage.addEventListener('wheel', event => {
    if (event.deltaY > 0 && view.scale === 1) return; // the page scrolls on
    event.preventDefault();
    zoomAt(Math.exp(-clamp(event.deltaY, -240, 240) * 0.0025), ...inPane(event));
  }, { passive: false });

  const pointers = new Map();
  stage.addEventListener('pointerdown', event => {
    if (event.button > 0) return;
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    stage.classList.add('moving');
  });
  stage.addEventListener('pointermove', event => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (pointers.size === 1) {
      view.x += event.clientX - before.clientX;
      view.y += event.clientY - before.clientY;
      place();
    } else {
      const other = [...pointers.values()].find(p => p.pointerId !== event.pointerId);
      const distance = p => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY);
      const [x, y] = inPane(other);
      zoomAt(distance(event) / Math.max(1, distance(before)), x, y);
    }
    pointers.set(event.pointerId, event);
  });
  for (const type of ['pointerup', 'pointercancel'])
    stage.addEventListener(type, event => {
      pointers.delete(event.pointerId);
      stage.classList.toggle('moving', pointers.size > 0);
    });
  stage.addEventListener('dblclick', event => view.scale > 1 ? reset() : zoomAt(3, ...inPane(event)));
  stage.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = {
      ArrowLeft: () => show(view.index - 1), ArrowRight: () => show(view.index + 1),
      Home: () => show(0), End: () => show(gallery.images.length - 1),
      '+': () => zoomBy(1.5), '=': () => zoomBy(1.5), '-': () => zoomBy(1 / 1.5), 0: reset,
      '[': () => moveSplit(view.split - 0.05), ']': () => moveSplit(view.split + 0.05),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  new ResizeObserver(place).observe(stage);

  const thumbs = gallery.images.map((entry, i) => {
    const image = byName.get(entry.name);
    const button = el('button', { type: 'button', role: 'option', title: entry.name, onclick: () => show(i) },
      el('img', { src: entry.stained, alt: '' }),
      el('span', {}, entry.why || image.label || entry.name),
      el('span', {}, `SSIM ${format(image.scores.model.ssim, 3)}`));
    button.setAttribute('aria-label', `${entry.name}, SSIM ${format(image.scores.model.ssim, 3)}${entry.why ? ', ' + entry.why : ''}`);
    return button;
  });
  $('strip').append(...thumbs);

  function show(index) {
    const count = gallery.images.length;
    view.index = (index + count) % count;
    view.scale = 1;
    build();
    const image = byName.get(gallery.images[view.index].name);
    $('caption').replaceChildren(
      el('b', {}, image.name),
      ...[`${view.index + 1} of ${count}`, gallery.images[view.index].why,
        image.label && `label ${image.label}`, image.slide_id && `slide ${image.slide_id}`,
        `${image.width} × ${image.height} px`,
        ...metrics.slice(0, 2).map(m => `${m.title} ${format(image.scores.model[m.key], m.digits)}${m.unit ? ' ' + m.unit : ''}`
          + (image.scores.identity ? ` (identity ${format(image.scores.identity[m.key], m.digits)})` : '')),
      ].filter(Boolean).map(text => el('span', {}, text)));
    thumbs.forEach((t, i) => { t.setAttribute('aria-selected', String(i === view.index)); t.tabIndex = i === view.index ? 0 : -1; });
    const strip = $('strip'), thumb = thumbs[view.index];
    strip.scrollTo({ left: thumb.offsetLeft - strip.offsetLeft - strip.clientWidth / 2 + thumb.offsetWidth / 2 });
  }
  $('strip').addEventListener('keydown', event => {
    const to = { ArrowLeft: view.index - 1, ArrowRight: view.index + 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
    thumbs[view.index].focus();
  });
  show(0);

  // ---- charts

  const charts = [];
  function chart(node, description) {
    node.setAttribute('aria-label', description);
    const instance = echarts.init(node, null, { renderer: 'svg' });
    charts.push(instance);
    return instance;
  }
  addEventListener('resize', () => charts.forEach(c => c.resize()));
  addEventListener('beforeprint', () => charts.forEach(c => c.resize()));

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
  const legend = () => ({
    top: 0, left: 0, icon: 'roundRect', itemWidth: 14, itemHeight: 8, itemGap: 18, textStyle: { color: colour('--ink'), fontSize: 12 },
  });
  const axisName = m => m.title + (m.unit ? ` (${m.unit})` : '');

  let chosen = 'ssim';
  const histogram = chart($('histogram'), 'Histogram over images');
  const boxes = chart($('boxes'), 'Box plots over images');
  $('distribution-tools').append(segments('Metric', metrics.map(m => [m.key, m.title]), chosen, key => {
    chosen = key;
    drawDistributions();
  }));

  const finiteScores = (method, key, label) => images.filter(i => label === undefined || i.label === label)
    .map(i => Number(i.scores[method][key])).filter(Number.isFinite).sort((a, b) => a - b);
  const quantile = (sorted, q) => {
    const at = q * (sorted.length - 1), below = Math.floor(at);
    return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
  };

  // Round bin widths: 1, 2 or 5 times a power of ten.
  function bins(values) {
    const low = Math.min(...values), high = Math.max(...values);
    const raw = (high - low || Math.abs(high) || 1) / clamp(Math.round(2 * Math.sqrt(values.length)), 12, 30);
    const power = 10 ** Math.floor(Math.log10(raw));
    const width = power * ([1, 2, 5].find(k => k * power >= raw) ?? 10);
    const start = Math.floor(low / width) * width;
    const count = Math.floor((high - start) / width) + 1;
    return { start, width, count };
  }

  function drawHistogram(metric) {
    const scores = methods.map(m => finiteScores(m.key, metric.key));
    const all = scores.flat();
    const { start, width, count } = bins(all.length ? all : [0]);
    const decimals = Math.max(0, -Math.floor(Math.log10(width) + 1e-9));
    const edges = Array.from({ length: count }, (_, i) => start + i * width);
    const counted = values => edges.map((_, i) => values.filter(v => Math.min(count - 1, Math.floor((v - start) / width)) === i).length);
    histogram.setOption({
      ...base(), legend: legend(), grid: { left: 44, right: 8, top: 58, bottom: 46 },
      xAxis: axis({
        type: 'category', data: edges.map(e => format(e, decimals)), name: axisName(metric), nameLocation: 'middle',
        nameGap: 30, boundaryGap: true,
      }),
      yAxis: axis({
        type: 'value', name: 'images', minInterval: 1, splitLine: { show: true, lineStyle: { color: colour('--rule') } },
        axisLine: { show: false }, axisTick: { show: false },
      }),
      // The model as bars, the baselines as outlines over them: three sets of bars would hide each other.
      series: methods.map((m, i) => i === 0
        ? { name: m.title, type: 'bar', data: counted(scores[i]), barCategoryGap: '6%',
          itemStyle: { color: methodColour(m.key), opacity: 0.85 } }
        : { name: m.title, type: 'line', step: 'middle', symbol: 'none', data: counted(scores[i]),
          lineStyle: { width: 2, color: methodColour(m.key) }, itemStyle: { color: methodColour(m.key) } }),
    }, true);
    const infinite = images.filter(i => !Number.isFinite(Number(i.scores.model[metric.key]))).length;
    $('histogram-caption').textContent = `Images by ${metric.title}, bins of ${format(width, decimals)}.`
      + (infinite ? ` ${plural(infinite, 'identical image')} with infinite ${metric.title} left out.` : '');
    $('histogram').setAttribute('aria-label', `Histogram of ${metric.title}: ` + methods.map((m, i) =>
      scores[i].length ? `${m.title} from ${format(scores[i][0], metric.digits)} to ${format(scores[i].at(-1), metric.digits)}` : '')
      .join('; '));
  }

  function drawBoxes(metric) {
    const categories = labels.length ? labels : [undefined];
    const series = methods.map(m => ({
      name: m.title, type: 'boxplot', boxWidth: [6, 34],
      itemStyle: { color: 'transparent', borderColor: methodColour(m.key), borderWidth: 1.6 },
      data: categories.map(label => {
        const sorted = finiteScores(m.key, metric.key, label);
        if (!sorted.length) return ['-', '-', '-', '-', '-'];
        const [q1, q2, q3] = [0.25, 0.5, 0.75].map(q => quantile(sorted, q)), reach = 1.5 * (q3 - q1);
        const inside = sorted.filter(v => v >= q1 - reach && v <= q3 + reach);
        return [inside[0], q1, q2, q3, inside.at(-1)];
      }),
    }));
    boxes.setOption({
      ...base(), legend: legend(), grid: { left: 52, right: 8, top: 58, bottom: 46 },
      tooltip: {
        ...base().tooltip, trigger: 'item', valueFormatter: v => format(v, metric.digits),
        formatter: p => p.seriesType !== 'boxplot' ? ''
          : `${p.seriesName}${labels.length ? ', ' + p.name : ''}<br>median <b>${format(p.data[3], metric.digits)}</b><br>`
            + `middle half ${format(p.data[2], metric.digits)} to ${format(p.data[4], metric.digits)}`,
      },
      xAxis: axis({
        type: 'category', data: labels.length ? labels : ['all images'], name: labels.length ? 'label' : '',
        nameLocation: 'middle', nameGap: 30,
      }),
      yAxis: axis({
        type: 'value', scale: true, name: axisName(metric), nameTextStyle: { color: colour('--soft'), fontSize: 12, align: 'left' },
        splitLine: { show: true, lineStyle: { color: colour('--rule') } }, axisLine: { show: false }, axisTick: { show: false },
      }),
      series,
    }, true);
    $('boxes-caption').textContent =
      `${labels.length ? 'By label: m' : 'M'}edian, middle half, and whiskers to the farthest image within 1.5 times the middle half.`;
    const medians = label => methods.map(m =>
      `${m.title} median ${format(quantile(finiteScores(m.key, metric.key, label), 0.5), metric.digits)}`).join(', ');
    $('boxes').setAttribute('aria-label', `Box plots of ${metric.title}: `
      + categories.map(label => (label === undefined ? '' : `label ${label}: `) + medians(label)).join('; '));
  }

  function drawDistributions() {
    drawHistogram(metricOf(chosen));
    drawBoxes(metricOf(chosen));
  }
  drawDistributions();
  redraw.push(drawDistributions);

  // ---- every image

  const columns = [
    { key: 'name', title: 'Image', text: true, of: i => i.name },
    ...(labels.length ? [{ key: 'label', title: 'Label', text: true, of: i => i.label ?? '' }] : []),
    ...(hasSlides ? [{ key: 'slide', title: 'Slide', text: true, of: i => i.slide_id ?? '' }] : []),
    ...metrics.map(m => ({ key: m.key, title: m.title, digits: m.digits, of: i => Number(i.scores.model[m.key]) })),
    ...baselines.flatMap(b => metrics.slice(1, 2).map(m => ({
      key: `${b.key}-${m.key}`, title: `Δ${m.title} ${b.title.toLowerCase()}`, digits: m.digits, signed: true,
      of: i => Number(i.scores.model[m.key]) - Number(i.scores[b.key][m.key]),
    }))),
  ];
  const galleryIndex = new Map(gallery.images.map((entry, i) => [entry.name, i]));
  const tableState = { sort: 'ssim', descending: false, query: '', label: '', page: 0 };
  const pageSize = 15;
  const headers = columns.map(c => el('th', { scope: 'col', class: c.text ? 'text' : '' },
    el('button', { type: 'button', onclick: () => sortBy(c) }, c.title)));
  const body = el('tbody');
  $('table').append(el('caption', { class: 'visually-hidden' }, 'Scores of every image'), el('thead', {}, el('tr', {}, ...headers)), body);
  const search = el('input', {
    type: 'search', placeholder: 'Filter by name, label or slide', 'aria-label': 'Filter by name, label or slide',
    oninput: e => { tableState.query = e.target.value.toLowerCase(); tableState.page = 0; fill(); },
  });
  $('table-tools').append(search);
  if (labels.length)
    $('table-tools').append(el('select',
      { 'aria-label': 'Label', onchange: e => { tableState.label = e.target.value; tableState.page = 0; fill(); } },
      el('option', { value: '' }, 'All labels'), ...labels.map(l => el('option', { value: l }, l))));
  const found = el('span', { role: 'status' });
  const turn = by => { tableState.page += by; fill(); };
  const previous = el('button', { class: 'quiet', type: 'button', onclick: () => turn(-1) }, 'Previous');
  const next = el('button', { class: 'quiet', type: 'button', onclick: () => turn(1) }, 'Next');
  $('pager').append(previous, next, found);

  function sortBy(column) {
    tableState.descending = tableState.sort === column.key ? !tableState.descending : false;
    tableState.sort = column.key;
    tableState.page = 0;
    fill();
  }

  function fill() {
    const column = columns.find(c => c.key === tableState.sort), sign = tableState.descending ? -1 : 1;
    const compare = column.text ? (a, b) => column.of(a).localeCompare(column.of(b), 'en', { numeric: true })
      : (a, b) => column.of(a) === column.of(b) ? 0 : column.of(a) - column.of(b);
    const rows = images
      .filter(i => (!tableState.label || i.label === tableState.label)
        && [i.name, i.label, i.slide_id].some(t => t?.toLowerCase().includes(tableState.query)))
      .sort((a, b) => sign * compare(a, b));
    const pages = Math.max(1, Math.ceil(rows.length / pageSize));
    tableState.page = clamp(tableState.page, 0, pages - 1);
    const from = tableState.page * pageSize, visible = rows.slice(from, from + pageSize);
    body.replaceChildren(...visible.map(image => el('tr', {}, ...columns.map(c => cell(c, image)))));
    headers.forEach((th, i) => columns[i].key === tableState.sort
      ? th.setAttribute('aria-sort', tableState.descending ? 'descending' : 'ascending') : th.removeAttribute('aria-sort'));
    previous.disabled = tableState.page === 0;
    next.disabled = tableState.page === pages - 1;
    found.textContent = rows.length ? `${from + 1} to ${from + visible.length} of ${plural(rows.length, 'image')}` : 'No image matches';
  }

  function cell(column, image) {
    const value = column.of(image);
    if (column.key === 'name' && galleryIndex.has(image.name))
      return el('td', { class: 'text' }, el('button', { type: 'button', title: 'Look at it', onclick: () => {
        show(galleryIndex.get(image.name));
        stage.scrollIntoView({ block: 'center' });
        stage.focus({ preventScroll: true });
      } }, value));
    if (column.text) return el('td', { class: 'text' }, value);
    return el('td', { class: column.signed ? (value > 0 ? 'better' : 'worse') : '' },
      column.signed ? signed(value, column.digits) : format(value, column.digits));
  }
  fill();

  // ---- training

  if (run) {
    $('training').hidden = false;
    $('training-note').textContent =
      `Curves of the run ${run.name} over its steps, as logged (thin) and averaged over a twentieth of the run (thick).`;
    const drawn = Object.entries(run.curves).filter(([, values]) => values.some(v => v !== null)).map(([name, values]) => {
      const node = el('div', { class: 'chart', role: 'img' });
      $('curves').append(el('figure', {}, el('figcaption', {}, name), node));
      const last = values.findLast(v => v !== null);
      return [chart(node, `Curve of ${name} over ${run.steps.length} points, last value ${last.toPrecision(4)}`), name, values];
    });
    // The mean over a centred window of a twentieth of the curve: unlike a running mean it does not lag behind.
    const smooth = values => {
      const reach = Math.floor(values.length / 40);
      return values.map((_, i) => {
        const near = values.slice(Math.max(0, i - reach), i + reach + 1).filter(v => v !== null);
        return near.length ? near.reduce((a, b) => a + b) / near.length : null;
      });
    };
    const drawCurves = () => drawn.forEach(([instance, name, values]) => instance.setOption({
      ...base(), tooltip: { ...base().tooltip, valueFormatter: v => v === null || v === undefined ? '–' : Number(v).toPrecision(4) },
      grid: { left: 48, right: 10, top: 10, bottom: 24 },
      xAxis: axis({
        type: 'value', min: run.steps[0], max: run.steps.at(-1),
        axisLabel: { color: colour('--soft'), fontSize: 11, hideOverlap: true, showMaxLabel: true },
      }),
      yAxis: axis({
        type: 'value', scale: true, splitNumber: 3, splitLine: { show: true, lineStyle: { color: colour('--rule') } },
        axisLine: { show: false }, axisTick: { show: false },
      }),
      series: [
        {
          name, type: 'line', showSymbol: false, data: values.map((v, i) => [run.steps[i], v]),
          lineStyle: { width: 1, opacity: 0.35, color: colour('--model') }, itemStyle: { color: colour('--model') },
        },
        {
          name: 'smoothed', type: 'line', showSymbol: false, data: smooth(values).map((v, i) => [run.steps[i], v]),
          lineStyle: { width: 2, color: colour('--model') }, itemStyle: { color: colour('--model') },
        },
      ],
    }, true));
    drawCurves();
    redraw.push(drawCurves);
    for (const [name, text] of Object.entries(run.documents))
      $('documents').append(el('details', {},
        el('summary', {}, `What it was trained on and how: ${name}`), el('pre', { tabindex: '0' }, text)));
  }

  // ---- how to read

  const unit = bootstrap.unit === 'slide' ? 'slides' : 'images';
  if (evaluation.warnings.length)
    $('how').append(el('div', { class: 'warnings' }, el('b', {}, 'Before you use these numbers'),
      el('ul', {}, ...evaluation.warnings.map(w => el('li', {}, w)))));
  $('how').append(el('ul', {},
    el('li', {}, 'PSNR, SSIM, MAE and RMSE compare pixel with pixel. They mislead on pairs that are not aligned to the pixel: '
      + 'on serial sections cells differ, a shift of a few pixels costs more than a wrong stain, '
      + 'and a blurred image scores better than a sharp one. '
      + 'Look at the images before you believe a number.'),
    el('li', {}, 'Levels depend on the data set more than on the method: compare only numbers from the same pairs, size and definition.'),
    el('li', {}, 'Identity is the source image handed back; mean colour is one flat colour. '
      + 'By these metrics, a model that does not beat both has learned nothing useful.'),
    el('li', {}, `Intervals: ${bootstrap.description}. They say how much the mean would move with other ${unit} of the same kind, `
      + `not with another scanner, laboratory or training run.`),
    el('li', {}, 'A good score says nothing about single cells. Virtual stain can invent or lose structures; '
      + 'it is for research use only, not for diagnosis.'),
    el('li', {}, run ? 'What the model was trained on is under Training. Images that it has seen in training must not be among these.'
      : 'What the model was trained on is not known to this report (no run folder was given).')));

  const define = (list, term, text) => list.append(el('dt', {}, term), el('dd', {}, text));
  metrics.forEach(m => define($('definitions'), axisName(m), `${m.definition}.`));
  evaluation.methods.forEach(m => define($('definitions'), m.title,
    `${m.definition}${m.not_computed ? ` — not computed: ${m.not_computed}` : ''}.`));
  define($('provenance'), 'Images', `${evaluation.n}, matched by file name`);
  for (const [name, folder] of Object.entries(evaluation.inputs)) if (folder) define($('provenance'), name.replace('_', ' '), folder);
  if (evaluation.labels_from) define($('provenance'), 'Labels from', evaluation.labels_from);
  define($('provenance'), 'Intervals', bootstrap.description);
  define($('provenance'), 'Made',
    `${evaluation.created} by Tinctor ${evaluation.versions.tinctor}, .NET ${evaluation.versions.dotnet}, ${evaluation.versions.os}`);
})();
