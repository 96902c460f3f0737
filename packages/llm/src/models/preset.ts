/** What is known of a model. */
import type { TokenPrice } from '../price/token-price.ts';

export interface ModelPreset {
  /** As calls are reported and priced by. */
  readonly provider: string;
  readonly model: string;
  /** Tokens that fit, input and output together; with Gemini the input alone. */
  readonly contextWindow: number;
  /** The most tokens of one answer. */
  readonly maxOutputTokens: number;
  /** A class, and no measurement: 1 for small and fast, 2 for everyday work, 3 for the hardest. */
  readonly quality: 1 | 2 | 3;
  readonly price: TokenPrice;
  /** When the figures were last compared with their sources, as `YYYY-MM-DD`. */
  readonly checked: string;
  /** Where the figures were read: of window and output first, then of the price. */
  readonly sources: readonly [limits: string, price: string];
}
