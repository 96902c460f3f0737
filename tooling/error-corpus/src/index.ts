/** The errors of the corpus, as a program would catch them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Shape } from './shape.ts';

/** What a classifier should say. */
export interface Label {
  readonly category: 'transient' | 'permanent' | 'critical' | 'cancelled';
  readonly reason: string;
  /** Whether the same target may be asked again. */
  readonly retry: 'yes' | 'no' | 'if-idempotent';
  /** Milliseconds that the other side asked to wait. */
  readonly waitMs?: number;
  /** Where it is written what the error means. */
  readonly source: string;
}

export interface Case {
  /** Such as `anthropic/overloaded`. */
  readonly name: string;
  /** Package and version. */
  readonly from: string;
  readonly error: unknown;
  readonly label: Label;
}

const folder = new URL('../fixtures/', import.meta.url);

export function readCorpus(): readonly Case[] {
  const labels = read('labels.json') as Readonly<Record<string, Label>>;
  const origins = readdirSync(folder).filter((file) => file !== 'labels.json');
  return origins.flatMap((file) => {
    const { from, shapes } = read(file) as { readonly from: string; readonly shapes: Readonly<Record<string, Shape>> };
    return Object.entries(shapes).map(([shapeName, shape]): Case => {
      const name = `${file.replace('.json', '')}/${shapeName}`;
      const label = labels[name];
      if (label === undefined) throw new TypeError(`${name} has no label.`);
      return { name, from, error: revive(shape), label };
    });
  });
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
}

function revive({ class: className, members, headers = {}, errors = {} }: Shape): unknown {
  const classes = { [className]: class extends Error {} };
  const Revived = classes[className] ?? Error;
  const error = new Revived();
  const fields = Object.entries(headers).map(([name, values]) => [name, new Headers(values)]);
  const inner = Object.entries(errors).map(([name, shape]) => [name, revive(shape)]);
  for (const [name, value] of [...Object.entries(members), ...fields, ...inner]) {
    Object.defineProperty(error, name as string, { value, enumerable: true, configurable: true, writable: true });
  }
  return error;
}
