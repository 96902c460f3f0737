import type { z } from 'zod';

/** The keys that `schema` knows in the block at `path`; a later part of the path may be the key of a record or the index of a list. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let here: z.core.$ZodType | undefined = bare(schema);
  for (const step of path) here = here === undefined ? undefined : inside(here, step);
  const definition = here === undefined ? undefined : definitionOf(here);
  return definition?.type === 'object' ? Object.keys(definition.shape) : [];
}

function inside(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType | undefined {
  const definition = definitionOf(schema);
  let next: z.core.$ZodType | undefined;
  if (definition.type === 'object') next = definition.shape[String(step)];
  else if (definition.type === 'array') next = definition.element;
  else if (definition.type === 'record') next = definition.valueType;
  return next === undefined ? undefined : bare(next);
}

/** The schema without what wraps it: optional, default, and the like. */
function bare(schema: z.core.$ZodType): z.core.$ZodType {
  const definition = definitionOf(schema);
  if ('innerType' in definition) return bare(definition.innerType);
  return definition.type === 'pipe' ? bare(definition.in) : schema;
}

type Definition =
  | z.core.$ZodObjectDef
  | z.core.$ZodArrayDef
  | z.core.$ZodRecordDef
  | z.core.$ZodOptionalDef
  | z.core.$ZodDefaultDef
  | z.core.$ZodPrefaultDef
  | z.core.$ZodNullableDef
  | z.core.$ZodReadonlyDef
  | z.core.$ZodPipeDef;

// zod types the definition of an unknown schema by its base; `type` tells which one it is.
function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def as Definition;
}
