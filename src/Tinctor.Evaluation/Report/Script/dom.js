// Shared by all scripts: data, elements, formatted numbers, controls, themes.

const { evaluation, sections, gallery, run } = JSON.parse(document.getElementById('data').textContent);
const { images, groups, bootstrap, comparisons } = evaluation;
const hasDab = evaluation.target_has_dab !== false;
const metrics = evaluation.metrics.filter(m => !m.not_computed && (hasDab || m.group !== 'dab'));
const methods = evaluation.methods.filter(m => !m.not_computed);
const models = methods.filter(m => m.kind === 'model');
const baselines = methods.filter(m => m.kind === 'baseline');
const labels = groups.slice(1).map(g => g.label);
const hasSlides = images.some(i => i.slide_id !== null);
const imageOf = new Map(images.map(i => [i.name, i]));
const metricOf = key => metrics.find(m => m.key === key);
const methodOf = key => methods.find(m => m.key === key);

// Four metrics shown first: PSNR, SSIM, the first of each other group, then the next ones.
const headline = (() => {
  const first = metrics.slice(0, 2), others = metrics.slice(2);
  const leaders = others.filter(m => m.group !== metrics[0].group && others.find(o => o.group === m.group) === m);
  return [...new Set([...first, ...leaders, ...others])].slice(0, 4);
})();

// ---- elements

const $ = id => document.getElementById(id);

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'style') Object.entries(value).forEach(([name, v]) => node.style.setProperty(name, v));
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.filter(c => c !== null && c !== undefined && c !== ''));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const button = (text, name, onclick) => el('button', { class: 'quiet', type: 'button', 'aria-label': name, title: name, onclick }, text);

// ---- numbers and words

const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const percent = p => `${Math.round(p * 100)}%`;
const plural = (n, one) => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`;
const listing = words => words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
const ciName = `${percent(bootstrap.confidence)} confidence interval`;
const withUnit = m => m.title + (m.unit ? ` (${m.unit})` : '');

// JSON has infinite numbers as strings and undefined ones as null.
const number = value => value === null || value === undefined ? NaN : Number(value);

function format(value, digits) {
  const n = number(value);
  if (Number.isNaN(n)) return '–';
  if (!Number.isFinite(n)) return n > 0 ? '∞' : '−∞';
  const text = n.toFixed(digits).replace('-', '−');
  return /^−0(\.0*)?$/.test(text) ? text.slice(1) : text;
}
const formatCi = (ci, digits) => ci ? `${format(ci[0], digits)} to ${format(ci[1], digits)}` : null;
const signed = (value, digits) => (number(format(value, digits).replace('−', '-')) > 0 ? '+' : '') + format(value, digits);
const formatP = p => p === null ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3);
const equalsP = p => p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;

const unitOf = metric => metric.unit ? ` ${metric.unit}` : '';

// ---- choices

function press(group, value) {
  for (const b of group.children) b.setAttribute('aria-pressed', String(b.dataset.value === value));
}

// Control with buttons, for few options.
function segments(name, options, current, pick) {
  const group = el('div', { class: 'segments', role: 'group', 'aria-label': name });
  for (const [value, text] of options)
    group.append(el('button', {
      type: 'button', 'data-value': value, 'aria-pressed': String(value === current),
      onclick: () => { press(group, value); pick(value); },
    }, text));
  return group;
}

// Control with a list, for many options; the third element of an option is its group.
function dropdown(name, options, current, pick) {
  const node = el('select', { 'aria-label': name, onchange: e => pick(e.target.value) });
  const groupsByName = new Map();
  for (const [value, text, group] of options) {
    const option = el('option', { value, selected: value === current }, text);
    if (!group) { node.append(option); continue; }
    if (!groupsByName.has(group)) {
      groupsByName.set(group, el('optgroup', { label: group }));
      node.append(groupsByName.get(group));
    }
    groupsByName.get(group).append(option);
  }
  return node;
}

const choice = (text, control) => el('label', { class: 'choice' }, el('span', {}, text), control);
const groupTitles = { rgb: 'RGB', haematoxylin: 'Haematoxylin', dab: 'DAB', perceptual: 'Perceptual' };
const groupTitle = group => groupTitles[group] ?? group.charAt(0).toUpperCase() + group.slice(1).replaceAll('_', ' ');
const metricChoice = (list, current, pick) =>
  choice('Metric', dropdown('Metric', list.map(m => [m.key, m.title, groupTitle(m.group)]), current, pick));

// ---- themes and colours

const redraw = [];
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const palette = ['--m0', '--m1', '--m2', '--m3', '--m4', '--m5'];
const methodVariable = key => ({ identity: '--identity', mean_colour: '--mean' })[key]
  ?? palette[models.findIndex(m => m.key === key) % palette.length];
const methodInk = key => `var(${methodVariable(key)})`;
const root = document.documentElement;
const systemDark = matchMedia('(prefers-color-scheme: dark)');
function setTheme(dark) {
  root.dataset.theme = dark ? 'dark' : 'light';
  redraw.forEach(draw => draw());
}
root.dataset.theme = systemDark.matches ? 'dark' : 'light';
systemDark.addEventListener('change', e => setTheme(e.matches));
$('theme').addEventListener('click', () => setTheme(root.dataset.theme !== 'dark'));

// Prints use the light theme, and charts scale with their column.
const beforePrint = [];
let themeOnScreen = null;
function startPrint() {
  if (themeOnScreen !== null) return;
  themeOnScreen = root.dataset.theme;
  setTheme(false);
  beforePrint.forEach(prepare => prepare());
}
function endPrint() {
  if (themeOnScreen === null) return;
  setTheme(themeOnScreen === 'dark');
  themeOnScreen = null;
}
addEventListener('beforeprint', startPrint);
addEventListener('afterprint', endPrint);
matchMedia('print').addEventListener('change', e => e.matches ? startPrint() : endPrint());
