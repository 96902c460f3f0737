/** What dashboards and alerts ask Prometheus, and what it answers. */
import { committed } from './stage.ts';

/** An expression, and where it stands. */
export interface Question {
  readonly place: string;
  readonly expr: string;
}

interface Dashboard {
  readonly title: string;
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

/** Every expression of a dashboard as Grafana would send it. */
export function questionsOf(dashboard: string): readonly Question[] {
  const { panels } = JSON.parse(committed(`grafana-dashboards/${dashboard}.json`)) as Dashboard;
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      place: `${dashboard}: ${title}: ${legendFormat}`,
      expr: filledIn(expr),
    })),
  );
}

/** Whether there is a number in the answer. Throws where Prometheus refuses the expression. */
export async function isAnswered(prometheusUrl: string, { place, expr }: Question): Promise<boolean> {
  const response = await fetch(`${prometheusUrl}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: expr }),
    signal: AbortSignal.timeout(60_000),
  });
  const answer = (await response.json()) as Answer;
  if (answer.status !== 'success') throw new Error(`${place}: ${answer.error}: ${expr}`);
  return answer.data.result.some(({ value: [, text] }) => text !== 'NaN');
}

type Answer =
  | {
      readonly status: 'success';
      readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
    }
  | { readonly status: 'error'; readonly error: string };

// Longer than the drill, so that nothing of it is past.
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '10m').replaceAll('$__range', '10m').replaceAll('$instance', '.*');
}
