export { catalogue, type Catalogue, type EventEntry, type OperationEntry } from './catalogue.ts';
