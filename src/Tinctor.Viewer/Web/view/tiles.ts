// Requests of tiles. Those of tiles that leave the view are cancelled, so that the server reads and stains what is visible.

import OpenSeadragon from 'openseadragon';

interface Job extends OpenSeadragon.ImageJob { tile: OpenSeadragon.Tile & { tiledImage: OpenSeadragon.TiledImage; loading: boolean } }
interface Place { x: number; y: number; width: number; height: number }

/** Smallest size on the screen, in pixels, of a tile that a view needs; finer tiles are those of a closer view. */
const smallestTile = 100;

/** Whether a view needs a tile: it lies in the view or next to it, and is not finer than the screen shows. */
const isNeeded = (tile: Place, view: Place, screenWidth: number) =>
  tile.x < view.x + view.width + tile.width && tile.x + 2 * tile.width > view.x
  && tile.y < view.y + view.height + tile.height && tile.y + 2 * tile.height > view.y
  && tile.width / view.width * screenWidth >= smallestTile;

function isVisible({ tile }: Job): boolean {
  const { bounds, tiledImage } = tile, { viewport } = tiledImage.viewer, scale = tiledImage.getBounds().width;
  const place = { x: bounds.x * scale, y: bounds.y * scale, width: bounds.width * scale, height: bounds.height * scale };
  return isNeeded(place, viewport.getBounds(true).getBoundingBox(), viewport.getContainerSize().x);
}

/** Source of Deep Zoom tiles whose requests are cancelled when their tiles leave the view. */
export class CancellableSource extends OpenSeadragon.DziTileSource {
  private readonly jobs = new Map<Job, AbortController>();

  override downloadTileStart(job: OpenSeadragon.ImageJob): void {
    void this.download(job as Job);
  }

  override downloadTileAbort(job: OpenSeadragon.ImageJob): void {
    this.jobs.get(job as Job)?.abort();
    this.jobs.delete(job as Job);
  }

  /** Cancels the requests of tiles that are not visible any more; they are requested again when they are visible. */
  cancelInvisible(): void {
    this.cancel(job => !isVisible(job));
  }

  /** Cancels all requests, before the picture is removed. */
  cancelAll(): void {
    this.cancel(() => true);
  }

  private cancel(condition: (job: Job) => boolean): void {
    for (const job of [...this.jobs.keys()].filter(condition)) {
      this.downloadTileAbort(job);
      clearTimeout(job.jobId ?? undefined);
      job.tile.loading = false;
    }
  }

  private async download(job: Job): Promise<void> {
    const abort = new AbortController();
    this.jobs.set(job, abort);
    try {
      const answer = await fetch(job.src, { signal: abort.signal });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      job.finish(await answer.blob(), null, 'rasterBlob');
    } catch (error) {
      if (!abort.signal.aborted) job.fail(error instanceof Error ? error.message : String(error), null);
    } finally {
      this.jobs.delete(job);
    }
  }
}
