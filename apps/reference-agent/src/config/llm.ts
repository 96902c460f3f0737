/** The config block `llm`: which model answers, and whom it is asked from. */
import { z } from 'zod';

const usd = z.number().min(0).max(1e6);

/** US dollars for a million tokens. */
const price = z.strictObject({
  input: usd,
  /** Input that the provider had in its cache. @default as `input` */
  cached_input: usd.optional(),
  output: usd,
});

/** What is known of a model; where it is left out, the preset of that name says it, if there is one. */
const model = z.strictObject({
  price: price.optional(),
  /** Tokens that fit. A prompt that is too long for one model of a chain goes to larger ones only. */
  context_window: z.int().min(1).optional(),
  /** Longest answer that the model makes, in tokens. */
  max_output_tokens: z.int().min(1).optional(),
  /** 1 for small and fast, 2 for everyday work, 3 for the hardest. */
  quality: z.int().min(1).max(3).optional(),
});

const provider = z
  .strictObject({
    /** The API that it speaks. */
    kind: z.enum(['openai', 'anthropic', 'google', 'openai_compatible']),
    /** Where it is. @default the provider's own address */
    base_url: z.url({ protocol: /^https?$/ }).optional(),
    api_key: z.string().min(1).optional(),
    /** A file that holds the key, such as a mounted secret. Read once, at the start. */
    api_key_file: z.string().min(1).optional(),
    /** Seconds until a stream's first content, from one piece to the next, and for all of a try. */
    first_content_timeout: z.number().positive().default(60),
    between_content_timeout: z.number().positive().default(30),
    total_timeout: z.number().positive().default(300),
    models: z.record(z.string().min(1), model).default({}),
  })
  .superRefine(({ kind, base_url: url, api_key: key, api_key_file: file }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (key !== undefined && file !== undefined) refuse('api_key_file', 'wanted one of api_key and api_key_file');
    if (kind === 'openai_compatible' && url === undefined)
      refuse('base_url', 'wanted a URL such as http://host:8000/v1');
  });

/** The model of the provider `local`. Another provider needs another. */
export const localModel = 'local-scripted';

export const llmConfig = z.strictObject({
  /** `local`, or the name of one of `providers`. */
  provider: z.string().min(1).default('local'),
  model: z.string().min(1).default(localModel),
  /** Longest answer, in tokens; a limit of tokens or cost sets so much aside for each until it is known what it used. */
  max_output_tokens: z.int().min(1).max(10_000_000).default(4_096),
  /** What `model` costs, where no preset says it. A limit of cost needs it. */
  price: price.optional(),
  /** Whether the agent starts with a limit of cost and no price to hold it by: `refuse`, or `allow`, and then that limit does nothing. */
  unknown_price: z.enum(['refuse', 'allow']).default('refuse'),
  /** By the name that limits, metrics, breakers and fallbacks call them. */
  providers: z
    .record(z.string().regex(/^[\w.-]{1,30}$/, { error: 'wanted 1 to 30 letters, digits and . _ -' }), provider)
    .default({}),
});

export type LlmConfig = z.output<typeof llmConfig>;
export type ProviderConfig = z.output<typeof provider>;
export type PriceConfig = z.output<typeof price>;
