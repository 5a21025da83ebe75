// Names and order of metrics.

const groupTitles = { rgb: 'RGB', haematoxylin: 'Haematoxylin', dab: 'DAB', perceptual: 'Perceptual' };
export const groupTitle = group => groupTitles[group] ?? group.charAt(0).toUpperCase() + group.slice(1).replaceAll('_', ' ');
export const withUnit = m => m.title + (m.unit ? ` (${m.unit})` : '');

/** The four metrics shown first: PSNR, SSIM, the first of each other group, then the next ones. */
export function headlineMetrics(metrics) {
  const first = metrics.slice(0, 2), others = metrics.slice(2);
  const leaders = others.filter(m => m.group !== metrics[0].group && others.find(o => o.group === m.group) === m);
  return [...new Set([...first, ...leaders, ...others])].slice(0, 4);
}
