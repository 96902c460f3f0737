#!/usr/bin/env node
// Only syntax that an old Node can parse: it must get as far as saying that it is too old.
import { isTooOld } from './node-version.ts';

const version = process.versions.node;
if (isTooOld(version)) {
  console.error(`The agent needs Node 22.12 or newer; this is ${version}.`);
  process.exitCode = 1;
} else {
  import('./cli.ts').then(
    ({ runAgent }) => runAgent(process.argv.slice(2)),
    (error) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
