// Data of the page, and look-ups in it.

import { percent, format } from '../../../Web/numbers.js';
import { headlineMetrics } from './metrics.js';

export const { evaluation, sections, gallery, run } = JSON.parse(document.getElementById('data').textContent);
export const { images, groups, bootstrap, comparisons } = evaluation;
export const hasDab = evaluation.target_has_dab !== false;
export const metrics = evaluation.metrics.filter(m => !m.not_computed && (hasDab || m.group !== 'dab'));
export const methods = evaluation.methods.filter(m => !m.not_computed);
export const models = methods.filter(m => m.kind === 'model');
export const baselines = methods.filter(m => m.kind === 'baseline');
export const labels = groups.slice(1).map(g => g.label);
export const hasSlides = images.some(i => i.slide_id !== null);
export const headline = headlineMetrics(metrics);
export const ciName = `${percent(bootstrap.confidence)} confidence interval`;

const imagesByName = new Map(images.map(i => [i.name, i]));
const embeddedByName = new Map((gallery?.images ?? []).map(entry => [entry.name, entry]));
export const imageOf = name => imagesByName.get(name);
export const embedded = name => embeddedByName.get(name);
export const metricOf = key => metrics.find(m => m.key === key);
export const methodOf = key => methods.find(m => m.key === key);
export const summaryOf = (method, metric, group = groups[0]) => group.summary[method][metric];
export const unitOf = metric => metric.unit ? ` ${metric.unit}` : '';
export const scoreText = (image, model, metric) => format(image.scores[model]?.[metric.key], metric.digits) + unitOf(metric);

// Pairs of compared methods, and those of two models.
export const couples = [...new Map(comparisons.map(c => [`${c.a}\n${c.b}`, [c.a, c.b]])).values()];
export const modelCouples = couples.filter(([, b]) => methodOf(b).kind === 'model');
