/** Answers in the shape that each provider documents, with numbers that tell the members apart. */
export const openaiChat = {
  id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
  object: 'chat.completion',
  created: 1741569952,
  model: 'gpt-4.1-2025-04-14',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'He said "hi" {not json} \\ \u00e9', refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 1_117,
    completion_tokens: 46,
    total_tokens: 1_163,
    prompt_tokens_details: { cached_tokens: 1_024, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 12, audio_tokens: 0, accepted_prediction_tokens: 0 },
  },
  service_tier: 'default',
  system_fingerprint: null,
};

export const openaiResponses = {
  id: 'resp_67ccd2bed1ec8190b14f964abc054267',
  object: 'response',
  created_at: 1741476542,
  status: 'completed',
  error: null,
  incomplete_details: null,
  model: 'gpt-5-mini-2025-08-07',
  output: [
    { type: 'reasoning', id: 'rs_1', summary: [], status: 'completed' },
    {
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'In a peaceful grove', annotations: [] }],
    },
  ],
  usage: {
    input_tokens: 328,
    input_tokens_details: { cached_tokens: 128 },
    output_tokens: 87,
    output_tokens_details: { reasoning_tokens: 64 },
    total_tokens: 415,
  },
};

export const openaiEmbeddings = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.0023064255, -0.009327292, 1e-7] }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 8, total_tokens: 8 },
};

export const anthropicMessage = {
  id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: [
    { type: 'thinking', thinking: 'A greeting.', signature: 'WaUjzkypQ2mUEVM36O2Txu' },
    { type: 'text', text: 'Hi! My name is Claude.' },
  ],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 21,
    cache_creation_input_tokens: 188,
    cache_read_input_tokens: 1_086,
    cache_creation: { ephemeral_5m_input_tokens: 188, ephemeral_1h_input_tokens: 0 },
    output_tokens: 393,
    service_tier: 'standard',
  },
};

export const geminiContent = {
  candidates: [
    {
      content: { parts: [{ text: 'AI learns patterns.' }], role: 'model' },
      finishReason: 'MAX_TOKENS',
      index: 0,
    },
  ],
  usageMetadata: {
    promptTokenCount: 264,
    cachedContentTokenCount: 200,
    candidatesTokenCount: 31,
    toolUsePromptTokenCount: 40,
    thoughtsTokenCount: 900,
    totalTokenCount: 1_235,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: 264 }],
  },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'mAitaLmkHPPlz7IPvtfUqQ4',
};
