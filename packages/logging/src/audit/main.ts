#!/usr/bin/env node
import { runAudit } from './cli.ts';

process.exitCode = runAudit(process.argv.slice(2), (text) => void process.stdout.write(`${text}\n`));
