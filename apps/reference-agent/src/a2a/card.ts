import { A2A_PROTOCOL_VERSION, type AgentCard, type AgentInterface } from '@a2a-js/sdk';

/** Where the two bindings of A2A are, under the agent's own URL. */
export const jsonRpcPath = '/a2a/jsonrpc';
export const restPath = '/a2a/rest';

export interface CardOptions {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  /** Where clients reach the agent, without a slash at the end. */
  readonly url: string;
  /** Whether an API key is needed. */
  readonly needsKey: boolean;
}

/** What the agent says of itself. The first interface is the preferred one. */
export function createCard({ name, description, version, url, needsKey }: CardOptions): AgentCard {
  return {
    name,
    description,
    version,
    supportedInterfaces: [binding('JSONRPC', url + jsonRpcPath), binding('HTTP+JSON', url + restPath)],
    provider: undefined,
    capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: false, extensions: [] },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [
      {
        id: 'conversation',
        name: 'Conversation',
        description: 'Answers a text message, and remembers what was said before in the same context.',
        tags: ['text', 'conversation'],
        examples: ['My name is Ada.', 'What is my name?', 'What did I say before?'],
        inputModes: [],
        outputModes: [],
        securityRequirements: [],
      },
    ],
    ...(needsKey ? keySecurity : { securitySchemes: {}, securityRequirements: [] }),
    signatures: [],
  };
}

const keySecurity: Pick<AgentCard, 'securitySchemes' | 'securityRequirements'> = {
  securitySchemes: {
    bearer: {
      scheme: {
        $case: 'httpAuthSecurityScheme',
        value: { description: 'An API key', scheme: 'Bearer', bearerFormat: '' },
      },
    },
    apiKey: {
      scheme: {
        $case: 'apiKeySecurityScheme',
        value: { description: 'The same API key', location: 'header', name: 'x-api-key' },
      },
    },
  },
  securityRequirements: [{ schemes: { bearer: { list: [] } } }, { schemes: { apiKey: { list: [] } } }],
};

function binding(protocolBinding: string, url: string): AgentInterface {
  return { url, protocolBinding, tenant: '', protocolVersion: A2A_PROTOCOL_VERSION };
}
