export { createModelBook, type ModelBook, type ModelBookOptions, type ModelTarget } from './model-book.ts';
export type { ModelPreset } from './preset.ts';
export { presets } from './presets.ts';
