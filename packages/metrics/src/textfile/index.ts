export { createTextfile, type Textfile, type TextfileOptions } from './textfile.ts';
