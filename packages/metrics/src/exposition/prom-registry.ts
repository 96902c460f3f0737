import { errors } from '../errors.ts';
import type { Instrument } from '../instruments/instrument.ts';

/** What is needed of a registry; those of prom-client 15, `@prometheus-io/client` and `@platformatic/prom-client` fit. */
export interface PromRegistry {
  registerMetric(metric: unknown): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
  /** All metrics as text. */
  metrics(): Promise<string>;
  readonly contentType: string;
}

/** The instruments that stand in a registry because of us. */
export class Shelf {
  readonly instruments: Instrument[] = [];
  readonly #registry: PromRegistry;

  constructor(registry: PromRegistry) {
    this.#registry = registry;
  }

  /** Puts them into the registry, all or, where a name is taken, none; then it throws `NAME_TAKEN`. */
  add(...instruments: readonly Instrument[]): void {
    for (const { definition } of instruments) {
      const { name } = definition;
      if (this.#registry.getSingleMetric(name) !== undefined) throw errors.NAME_TAKEN({ name });
    }
    for (const instrument of instruments) this.#registry.registerMetric(new RegisteredMetric(instrument));
    this.instruments.push(...instruments);
  }

  /** Takes them all out. */
  clear(): void {
    for (const { definition } of this.instruments.splice(0)) this.#registry.removeSingleMetric(definition.name);
  }
}

/** The shape that registries read. They render it; the numbers stay in our cells. */
class RegisteredMetric {
  /** Not read-only: a registry that writes OpenMetrics takes `_total` off and puts it on again per line. */
  name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator = 'sum';
  readonly #instrument: Instrument;

  constructor(instrument: Instrument) {
    this.name = instrument.definition.name;
    this.help = instrument.definition.help;
    this.type = instrument.type;
    this.#instrument = instrument;
  }

  get() {
    const { name, help, type, aggregator } = this;
    const values = this.#instrument.samples().map((sample) => ({
      ...(sample.name !== undefined && { metricName: sample.name }),
      labels: sample.labels,
      value: sample.value,
    }));
    return { name, help, type, aggregator, values };
  }

  reset(): void {
    this.#instrument.reset();
  }
}
