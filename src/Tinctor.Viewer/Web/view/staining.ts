// Staining on demand: models are further layers of the slide. The server learns where the view is, and stains there first.

import { addressOf, get, messageOf, modelOf, send } from '../api.ts';
import type { Slide, StainedSlide } from '../api.ts';
import { byId } from '../page.ts';
import type { Picture } from './state.ts';
import { noveltyText } from './uncertainty.ts';

const progressInterval = 2000, viewDelay = 250;

export interface Staining {
  /** Follows the models among the pictures that are shown. */
  follow: (pictures: Picture[]) => void;
  /** Sends the centre of the view, in pixels of the slide. */
  look: (x: number, y: number) => void;
}

export function startStaining(slide: Slide, nameOf: (model: string) => string): Staining {
  const sizes = new Map<string, StainedSlide>();
  let models: string[] = [], delay = 0, timer = 0;

  const show = (text: string) => { byId('staining-note').textContent = text; };

  async function progress(): Promise<void> {
    clearTimeout(timer);
    if (models.length === 0) return;
    try {
      const lines = await Promise.all(models.map(async model => {
        const stained = await get<StainedSlide>(addressOf.stained(slide.id, model));
        sizes.set(model, stained);
        return stained.result ? `${nameOf(model)}: the slide is stained.`
          : `${nameOf(model)}: ${stained.done} of ${stained.total} tiles are stained.`
            + `${stained.done < stained.total ? ' Zoom in to stain more.' : ''} ${noveltyText(stained.noveltyShare)}`;
      }));
      show(lines.join(' '));
    } catch (error) {
      show(messageOf(error));
    }
    // A finished slide does not change any more.
    if (models.some(model => !sizes.get(model)?.result)) timer = setTimeout(() => void progress(), progressInterval);
  }

  byId('stain-whole').addEventListener('click', () => {
    void Promise.all(models.map(model => send('POST', 'jobs', { slide: slide.id, model })))
      .then(() => show('A job stains the whole slide. The list of jobs shows its progress.'))
      .catch((error: unknown) => show(messageOf(error)));
  });

  return {
    follow(pictures) {
      const own = pictures.filter(picture => picture.slide === slide.id);
      models = [...new Set(own.map(picture => modelOf(picture.layer)).filter(model => model !== null))];
      byId('staining').hidden = models.length === 0;
      void progress();
    },
    look(x, y) {
      clearTimeout(delay);
      delay = setTimeout(() => {
        for (const model of models) {
          const scale = (sizes.get(model)?.width ?? slide.width) / slide.width;
          void send('PUT', `${addressOf.stained(slide.id, model)}/view`, { x: x * scale, y: y * scale }).catch(() => undefined);
        }
      }, viewDelay);
    },
  };
}
