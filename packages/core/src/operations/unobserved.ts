/** What a producer holds while nobody watches: nothing happens, nothing is allocated. */
import type { OpenOperation, Operation } from './operation.ts';

export const unobserved: Operation = { set() {}, settle() {} };

export const unobservedOpen: OpenOperation = { ...unobserved, run: (call) => call(), end() {}, fail() {} };
