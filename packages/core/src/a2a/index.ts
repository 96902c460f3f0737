export { type A2aHandlerOptions, instrumentA2aClient, instrumentA2aHandler } from './instrument.ts';
