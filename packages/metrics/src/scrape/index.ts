export type { Collected } from '../collected.ts';
export {
  collectExemplars,
  type Exemplar,
  type ExemplarOptions,
  type Exemplars,
  type ExemplarSource,
} from './exemplars.ts';
export { createScrape, type ScrapeOptions } from './handler.ts';
export { contentTypes, type Format, renderMetrics, type RenderOptions } from './render.ts';
