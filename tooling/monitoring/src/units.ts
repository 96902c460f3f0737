/** Units of panels, by Grafana's names. */
import {
  BytesIEC,
  CountsPerSecond,
  Dollars,
  OpsPerSecond,
  PercentUnit,
  RequestsPerSecond,
  Seconds,
  Short,
} from '@grafana/grafana-foundation-sdk/units';

export const units = {
  bytes: BytesIEC,
  perSecond: CountsPerSecond,
  operationsPerSecond: OpsPerSecond,
  requestsPerSecond: RequestsPerSecond,
  dollars: Dollars,
  share: PercentUnit,
  seconds: Seconds,
  count: Short,
} as const;

export type Unit = (typeof units)[keyof typeof units];
