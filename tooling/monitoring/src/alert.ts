/** An alert as this project writes one: what fires it, what to do, and what shows that it fires and is quiet. */

export interface Alert {
  readonly name: string;
  /** `page`: users feel it, somebody must look now. `ticket`: on the next working day. */
  readonly severity: 'page' | 'ticket';
  readonly expr: string;
  /** How long it has to hold before somebody is told. */
  readonly for: string;
  /** One line. Labels in double braces; no figures, so that a repeated alert reads the same. */
  readonly summary: string;
  readonly description: string;
  readonly runbook: Runbook;
  readonly fires: Firing;
  /** Series on which nobody is told. */
  readonly healthy: Series;
  /** When nobody may have been told, in minutes. @default 20 */
  readonly healthyAt?: number;
}

export interface Runbook {
  /** What users notice, and why it is wanted to know. */
  readonly means: string;
  /** Where to look, from the likely to the rare. */
  readonly look: readonly string[];
  /** What helps. */
  readonly act: readonly string[];
}

/** Names with labels, and values in promtool's notation, one a minute. */
export type Series = Readonly<Record<string, string>>;

export interface Firing {
  readonly series: Series;
  /** When it has to fire. */
  readonly at: string;
  /** Labels besides the severity. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * What a counter grew within a window; also where its series is new, which `increase` does not count. For events that are rare, and each one matters.
 */
export function happened(counter: string, window: string): string {
  return `(increase(${counter}[${window}]) > 0 or (${counter} unless ${counter} offset ${window}) > 0)`;
}
