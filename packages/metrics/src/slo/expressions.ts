/** PromQL of indicators. */
import type { Indicator, Selector, Slo } from './slo.ts';

/** Bad share over a window; nothing where nothing happened. */
export function badShare(indicator: Indicator, window: string): string {
  const rate = (selector: Selector, suffix = '') => `sum(rate(${selectorText(selector, suffix)}[${window}]))`;
  // A series that never counted is not there: none is bad, or none is good.
  const orNone = (text: string) => `(${text} or vector(0))`;
  if (indicator.type === 'availability') {
    return `${orNone(rate(indicator.bad))} / (${rate(indicator.total)} > 0)`;
  }
  if (indicator.type === 'quality') return `1 - ${orNone(rate(indicator.good))} / (${rate(indicator.total)} > 0)`;
  return `1 - ${orNone(rate(withinBound(indicator), '_bucket'))} / (${rate(indicator.histogram, '_count')} > 0)`;
}

/** Every window that the rules of an objective need: those of its alerts, and its own. */
export function windowsOf({ burns, windowDays }: Slo): readonly string[] {
  return [...new Set([...burns.flatMap(({ short, long }) => [short, long]), `${windowDays}d`])];
}

export function recordOf(window: string): string {
  return `sage:slo_bad:ratio_rate${window}`;
}

function withinBound({ histogram, withinSeconds }: Extract<Indicator, { readonly type: 'latency' }>): Selector {
  const text = String(withinSeconds);
  // OpenMetrics, and Prometheus 3 always, write a whole bound as 5.0, and one below 0.0001 or from a million as 5e-05.
  const exponent = withinSeconds.toExponential().replace(/([+-])(\d)$/, '$10$2');
  const le = [text, ...(Number.isInteger(withinSeconds) ? [`${text}.0`] : [])];
  if (withinSeconds > 0 && (withinSeconds < 1e-4 || withinSeconds >= 1e6)) le.push(exponent);
  return { ...histogram, where: { ...histogram.where, le } };
}

export function selectorText({ metric, where = {} }: Selector, suffix = ''): string {
  const matchers = Object.entries(where).map(([label, values]) => {
    if (typeof values === 'string') return `${label}=${JSON.stringify(values)}`;
    const [only] = values;
    return values.length === 1
      ? `${label}=${JSON.stringify(only)}`
      : `${label}=~${JSON.stringify(values.map(escapeRegExp).join('|'))}`;
  });
  return `${metric}${suffix}${matchers.length === 0 ? '' : `{${matchers.join(',')}}`}`;
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
