import type { DashboardSpec } from '../dashboard.ts';
import { grown, quantile, rate, share, sum } from '../expressions.ts';
import { units } from '../units.ts';

const calls = 'sage_llm_calls_total';
const model = '{{provider}} {{model}}';
const cost = 'sage_llm_cost_usd_total';

export const llmDashboard: DashboardSpec = {
  name: 'llm',
  title: 'SAGE models',
  description: 'Calls of models: how many, how well, how fast, what they use and cost.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Calls',
          description: 'Logical calls that end in a second, each with all its tries.',
          unit: units.requestsPerSecond,
          kind: 'number',
          queries: [{ expr: sum(rate(calls)), legend: 'calls' }],
        },
        {
          title: 'Failed calls',
          description: 'Share of the calls that ended in an error or a timeout after all their tries.',
          unit: units.share,
          kind: 'number',
          badFrom: 0.01,
          queries: [
            {
              expr: share(
                sum(rate(calls, 'outcome=~"error|timeout"')),
                sum(rate(calls, 'outcome=~"ok|error|timeout"')),
              ),
              legend: 'failed',
            },
          ],
        },
        {
          title: 'Spent',
          description: 'Cost within the time shown, of the calls whose price is known.',
          unit: units.dollars,
          kind: 'number',
          queries: [{ expr: sum(grown(cost)), legend: 'spent' }],
        },
        {
          title: 'Spent in 30 days at this rate',
          description: 'The mean of the last hour, for a month.',
          unit: units.dollars,
          kind: 'number',
          queries: [{ expr: `sum(rate(${cost}{instance=~"$instance"}[1h])) * 86400 * 30`, legend: 'a month' }],
        },
        {
          title: 'Price unknown',
          description: 'Answered calls within the time shown whose cost nobody knows. They are in no sum of money.',
          unit: units.count,
          kind: 'number',
          badFrom: 1,
          queries: [{ expr: `${sum(grown('sage_llm_cost_unknown_total'))} or vector(0)`, legend: 'unknown' }],
        },
        {
          title: 'Tokens',
          description: 'Input and output tokens of a second.',
          unit: units.perSecond,
          kind: 'number',
          queries: [{ expr: sum(rate('sage_llm_tokens_total')), legend: 'tokens' }],
        },
      ],
    },
    {
      title: 'Calls',
      panels: [
        {
          title: 'Calls by model',
          description: 'Logical calls, each with all its tries.',
          unit: units.requestsPerSecond,
          kind: 'stacked',
          queries: [{ expr: sum(rate(calls), 'provider, model'), legend: model }],
        },
        {
          title: 'Failed share by provider',
          description: 'Share of the calls that ended in an error or a timeout.',
          unit: units.share,
          badFrom: 0.2,
          queries: [
            {
              expr: share(
                sum(rate(calls, 'outcome=~"error|timeout"'), 'provider'),
                sum(rate(calls, 'outcome=~"ok|error|timeout"'), 'provider'),
              ),
              legend: '{{provider}}',
            },
          ],
        },
        {
          title: 'Errors by code',
          description: 'Why calls failed; docs/reference/errors.md says what each code means.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_llm_errors_total'), 'provider, code'), legend: '{{provider}} {{code}}' }],
        },
      ],
    },
    {
      title: 'Time',
      panels: [
        {
          title: 'Time of a call p95',
          description: 'To the end of its stream.',
          unit: units.seconds,
          queries: [
            {
              expr: quantile(0.95, 'sage_llm_call_duration_seconds', 'provider, model', 'outcome="ok"'),
              legend: model,
            },
          ],
        },
        {
          title: 'First token p95',
          description: 'How long a user looks at nothing.',
          unit: units.seconds,
          queries: [{ expr: quantile(0.95, 'sage_llm_first_token_seconds', 'provider, model'), legend: model }],
        },
        {
          title: 'Time per output token p95',
          description: 'Pace of streams after their first token.',
          unit: units.seconds,
          queries: [{ expr: quantile(0.95, 'sage_llm_output_token_seconds', 'provider, model'), legend: model }],
        },
      ],
    },
    {
      title: 'Tokens and money',
      panels: [
        {
          title: 'Tokens by type',
          description: 'Input is the prompt, output the completion.',
          unit: units.perSecond,
          kind: 'stacked',
          queries: [{ expr: sum(rate('sage_llm_tokens_total'), 'model, type'), legend: '{{model}} {{type}}' }],
        },
        {
          title: 'Cached share of input',
          description: 'Input tokens that the provider had in its cache and sells for less.',
          unit: units.share,
          queries: [
            {
              expr: share(
                sum(rate('sage_llm_token_parts_total', 'part="cached_input"'), 'provider, model'),
                sum(rate('sage_llm_tokens_total', 'type="input"'), 'provider, model'),
              ),
              legend: model,
            },
          ],
        },
        {
          title: 'Reasoning share of output',
          description: 'Output tokens that nobody reads.',
          unit: units.share,
          queries: [
            {
              expr: share(
                sum(rate('sage_llm_token_parts_total', 'part="reasoning"'), 'provider, model'),
                sum(rate('sage_llm_tokens_total', 'type="output"'), 'provider, model'),
              ),
              legend: model,
            },
          ],
        },
        {
          title: 'Cost of an hour by model',
          description: 'US dollars in an hour at the rate of the moment, where the price is known.',
          unit: units.dollars,
          kind: 'stacked',
          queries: [{ expr: `${sum(rate(cost), 'provider, model')} * 3600`, legend: model }],
        },
        {
          title: 'Cost of a request',
          description: 'US dollars for each request that the agent answered well.',
          unit: units.dollars,
          queries: [
            {
              expr: `${sum(rate(cost))} / (${sum(rate('sage_agent_requests_total', 'outcome="ok"'))} > 0)`,
              legend: 'mean',
            },
            { expr: quantile(0.95, 'sage_agent_request_cost_usd'), legend: 'p95' },
          ],
        },
        {
          title: 'Calls of unknown price',
          description: 'Give these models a price, or no budget counts them.',
          unit: units.perSecond,
          queries: [{ expr: sum(rate('sage_llm_cost_unknown_total'), 'provider, model'), legend: model }],
        },
      ],
    },
    {
      title: 'Tools',
      panels: [
        {
          title: 'Tool time p95',
          description: 'One run of a tool.',
          unit: units.seconds,
          queries: [{ expr: quantile(0.95, 'sage_tool_duration_seconds', 'tool'), legend: '{{tool}}' }],
        },
        {
          title: 'MCP time p95',
          description: 'MCP requests by what they ask for.',
          unit: units.seconds,
          queries: [
            { expr: quantile(0.95, 'sage_mcp_duration_seconds', 'role, method'), legend: '{{role}} {{method}}' },
          ],
        },
      ],
    },
  ],
};
