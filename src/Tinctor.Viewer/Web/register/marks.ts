// Picture with numbered landmarks, which are placed by click or key, moved by dragging or arrows, and removed by a key.

import OpenSeadragon from 'openseadragon';
import { el } from '../page.ts';
import { createViewer } from '../view/viewer.ts';
import type { Point } from './predict.ts';

export interface MarkEvents {
  place: (point: Point) => void; move: (index: number, point: Point) => void; remove: (index: number) => void;
  select: (index: number) => void;
}

export interface MarkedPicture {
  viewer: OpenSeadragon.Viewer;
  /** Draws landmarks by their index; null draws none. */
  draw: (points: (Point | null)[], selected: number) => void;
  /** Shows where the landmark of the open pair is expected; null for nowhere. */
  expect: (point: Point | null) => void;
  centreOn: (point: Point) => void;
}

const arrows: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Creates a picture of width 1 in a pane. Landmarks count from the centre of the first pixel, the viewer from its corner. */
export function createMarked(element: HTMLElement, width: number, title: string, events: MarkEvents): MarkedPicture {
  const viewer = createViewer(element, null);
  const toView = ([x, y]: Point) => new OpenSeadragon.Point((x + 0.5) / width, (y + 0.5) / width);
  const toPixel = ({ x, y }: OpenSeadragon.Point): Point => [x * width - 0.5, y * width - 0.5];
  const marks: HTMLElement[] = [], expected = el('span', { class: 'expected', 'aria-hidden': 'true' });
  let expects = false;

  viewer.addHandler('canvas-click', event => {
    const { quick, position, originalEvent } = event as unknown as { quick: boolean; position: OpenSeadragon.Point; originalEvent: Event };
    if (!quick || originalEvent.target instanceof Element && originalEvent.target.closest('.mark')) return;
    events.place(toPixel(viewer.viewport.pointFromPixel(position)));
  });
  viewer.addHandler('canvas-key', event => {
    const { key } = (event as unknown as { originalEvent: KeyboardEvent }).originalEvent;
    if (key !== 'Enter') return;
    event.preventDefaultAction = true;
    events.place(toPixel(viewer.viewport.getCenter(true)));
  });

  function createMark(index: number): HTMLElement {
    const mark = el('button', { class: 'mark', type: 'button', 'aria-label': `Landmark ${index + 1} in the ${title}`,
      onfocus: () => events.select(index) }, String(index + 1));
    const shift = (by: OpenSeadragon.Point) => {
      const overlay = viewer.getOverlayById(mark) as unknown as { location: OpenSeadragon.Point } | null;
      if (!overlay) return;
      const { viewport } = viewer;
      events.move(index, toPixel(viewport.pointFromPixel(viewport.pixelFromPoint(overlay.location, true).plus(by), true)));
    };
    mark.addEventListener('keydown', event => {
      const arrow = arrows[event.key];
      if (arrow) shift(new OpenSeadragon.Point(...arrow).times(event.shiftKey ? 10 : 1));
      else if (event.key === 'Delete' || event.key === 'Backspace') events.remove(index);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    // The picture below must not move with the landmark.
    new OpenSeadragon.MouseTracker({
      element: mark, preProcessEventHandler: (info: { stopPropagation: boolean }) => { info.stopPropagation = true; },
      pressHandler: () => mark.focus(),
      dragHandler: (event: { delta: OpenSeadragon.Point }) => shift(event.delta),
    } as unknown as OpenSeadragon.MouseTrackerOptions);
    return mark;
  }

  return {
    viewer,
    draw(points, selected) {
      while (marks.length > points.length) viewer.removeOverlay(marks.pop() as HTMLElement);
      points.forEach((point, i) => {
        const mark = marks[i] ??= createMark(i), isDrawn = viewer.getOverlayById(mark) !== null;
        mark.classList.toggle('selected', i === selected);
        if (!point) {
          if (isDrawn) viewer.removeOverlay(mark);
          return;
        }
        if (isDrawn) viewer.updateOverlay(mark, toView(point), OpenSeadragon.Placement.CENTER);
        else viewer.addOverlay({ element: mark, location: toView(point), placement: OpenSeadragon.Placement.CENTER });
      });
    },
    expect(point) {
      if (expects) viewer.removeOverlay(expected);
      expects = point !== null;
      if (point) viewer.addOverlay({ element: expected, location: toView(point), placement: OpenSeadragon.Placement.CENTER });
    },
    centreOn: point => { viewer.viewport.panTo(toView(point)); },
  };
}
