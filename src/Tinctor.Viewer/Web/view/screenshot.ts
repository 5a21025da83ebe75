// Picture of the view with its scale bar, regions and the name of the slide.

import OpenSeadragon from 'openseadragon';
import { colourOf, hex, polygonsOf } from './geojson.ts';
import type { Feature } from './geojson.ts';
import type { ScaleBar } from './scale.ts';
import type { Mode } from './state.ts';
import { canvasOf } from './viewer.ts';

export interface Shot {
  panes: OpenSeadragon.Viewer[]; mode: Mode; split: number; opacity: number;
  /** Whether panes of the mode side by side lie above each other, as on narrow screens. */
  stacked: boolean;
  filter: string; features: Feature[]; slideWidth: number; bar: ScaleBar | null; titles: string[];
}

function drawRegions(context: CanvasRenderingContext2D, { viewport }: OpenSeadragon.Viewer, features: Feature[], slideWidth: number): void {
  for (const feature of features) {
    context.beginPath();
    for (const ring of polygonsOf(feature.geometry).flat()) {
      ring.forEach(([x, y], index) => {
        const point = viewport.pixelFromPoint(new OpenSeadragon.Point(x / slideWidth, y / slideWidth), true);
        if (index === 0) context.moveTo(point.x, point.y);
        else context.lineTo(point.x, point.y);
      });
      context.closePath();
    }
    context.lineWidth = 2;
    context.strokeStyle = hex(colourOf(feature));
    context.stroke();
  }
}

function drawLabel(context: CanvasRenderingContext2D, text: string, x: number, y: number, align: 'left' | 'right'): void {
  context.font = '13px sans-serif';
  const width = context.measureText(text).width + 14, left = align === 'left' ? x : x - width;
  context.fillStyle = 'rgb(30 26 38 / .86)';
  context.fillRect(left, y, width, 22);
  context.fillStyle = '#fff';
  context.fillText(text, left + 7, y + 15);
}

function drawBar(context: CanvasRenderingContext2D, { pixels, label }: ScaleBar, bottom: number): void {
  context.font = '13px sans-serif';
  const width = Math.max(pixels, context.measureText(label).width) + 16, left = 12, top = bottom - 46;
  context.fillStyle = 'rgb(255 255 255 / .86)';
  context.fillRect(left, top, width, 34);
  context.fillStyle = '#111';
  context.textAlign = 'center';
  context.fillText(label, left + width / 2, top + 17);
  context.textAlign = 'left';
  context.fillRect(left + (width - pixels) / 2, top + 24, pixels, 4);
}

// The first picture lies above the second one, as on the screen.
function drawOverlaid(context: CanvasRenderingContext2D, shot: Shot, width: number, height: number): void {
  const { panes: [first, second], mode, split, opacity, filter } = shot;
  context.filter = filter;
  if (second) context.drawImage(canvasOf(second), 0, 0, width, height);
  context.save();
  if (mode === 'curtain') {
    context.beginPath();
    context.rect(0, 0, split * width, height);
    context.clip();
  }
  if (mode === 'opacity') context.globalAlpha = 1 - opacity;
  if (first && (mode !== 'flicker' || canvasOf(first).style.visibility !== 'hidden'))
    context.drawImage(canvasOf(first), 0, 0, width, height);
  context.restore();
  context.filter = 'none';
}

/** Draws the panes as they are on the screen, in its resolution. */
export function takeShot(shot: Shot): Promise<Blob | null> {
  const { panes, mode, stacked, features, slideWidth, bar, titles } = shot, beside = mode === 'side';
  const ratio = devicePixelRatio, canvas = document.createElement('canvas'), gap = 3;
  const sizes = (beside ? panes : panes.slice(0, 1)).map(pane => pane.viewport.getContainerSize());
  const sum = (values: number[]) => values.reduce((a, b) => a + b, gap * (values.length - 1));
  const most = (values: number[]) => Math.max(...values);
  const width = (stacked ? most : sum)(sizes.map(s => s.x)), height = (stacked ? sum : most)(sizes.map(s => s.y));
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (!context) return Promise.resolve(null);
  context.scale(ratio, ratio);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  let x = 0, y = 0;
  sizes.forEach((size, index) => {
    const pane = panes[index] as OpenSeadragon.Viewer, title = titles[index];
    context.save();
    context.translate(x, y);
    context.beginPath();
    context.rect(0, 0, size.x, size.y);
    context.clip();
    drawOverlaid(context, beside ? { ...shot, mode: 'single', panes: [pane] } : shot, size.x, size.y);
    if (index === 0) drawRegions(context, pane, features, slideWidth);
    context.restore();
    if (title) drawLabel(context, title, x + 10, y + 10, 'left');
    if (stacked) y += size.y + gap;
    else x += size.x + gap;
  });
  if (!beside && titles[1]) drawLabel(context, titles[1], width - 10, 10, 'right');
  if (bar) drawBar(context, bar, stacked ? sizes[0]?.y ?? height : height);
  drawLabel(context, 'Research use only', width - 10, height - 34, 'right');
  return new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
}
