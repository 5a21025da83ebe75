// Drawings on buttons, as paths in a square of 24 units.

import { svg } from '../page.ts';

const paths = {
  single: 'M4 5h16v14H4z', side: 'M4 5h16v14H4zM12 5v14', curtain: 'M4 5h16v14H4zM12 2v20M9.500 10l-2 2 2 2M14.500 10l2 2-2 2',
  opacity: 'M9 15a6 6 0 1 1 6-6M15 9a6 6 0 1 1-6 6', flicker: 'M13 3L6 14h5l-1 7 7-11h-5z',
  closer: 'M12 5v14M5 12h14', farther: 'M5 12h14', whole: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  left: 'M5 5v5h5M5 10a8 8 0 1 1-1 5', right: 'M19 5v5h-5M19 10a8 8 0 1 0 1 5', map: 'M3 5h18v14H3zM12 12h7v5h-7z',
  camera: 'M4 8h4l2-3h4l2 3h4v11H4zM12 10.500a3 3 0 1 0 .01 0', panel: 'M3 5h18v14H3zM15 5v14',
  search: 'M10.500 4a6.500 6.500 0 1 0 .01 0M15.500 15.500L21 21',
  help: 'M9 9a3 3 0 1 1 4 3c-1 .500-1 1-1 2M12 17.500v.5',
  link: 'M10 14a4 4 0 0 1 0-6l3-3a4 4 0 0 1 6 6l-2 2M14 10a4 4 0 0 1 0 6l-3 3a4 4 0 0 1-6-6l2-2',
} as const;

export type IconName = keyof typeof paths;
export const icon = (name: IconName): SVGElement =>
  svg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' }, svg('path', { d: paths[name] })) as SVGElement;
