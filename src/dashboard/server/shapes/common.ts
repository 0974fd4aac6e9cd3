/** Shapes of answers that many routes share. What a route answers is what its shape says: the server holds itself to it. */
import { z } from 'zod';

/** A list that nobody changes. */
export const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();

export const done = z.object({ done: z.boolean() });
export const startedRun = z.object({ workflowId: z.string(), runId: z.string() });

/** A figure with its age: see measured.ts. */
export const measured = <Value extends z.ZodType>(value: Value) =>
  z.object({ at: z.string().nullable(), value: value.nullable(), problem: z.string().nullable() });

/** Figures by name. */
export const figures = z.record(z.string(), z.number());

/** One page of a list of any length. */
export const page = <Item extends z.ZodType>(item: Item) => z.object({ total: z.number(), rows: list(item) });

/** A shape with every field of a type: one that it lacked would be cut off what is answered. */
export const shapeOf =
  <Type>() =>
  <Shape extends z.ZodObject>(
    shape: [Exclude<keyof Type, keyof z.output<Shape>>] extends [never] ? Shape : never,
  ): Shape =>
    shape as Shape;
