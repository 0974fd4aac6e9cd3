/** A prediction as it is told: a number, or a class by its name with the probability of each. */
import { z } from 'zod';
import type { Prediction } from '../contracts/serving.js';
import { likeliest } from './classes.js';
import type { Predictor } from './predictor.js';

const definitionSchema = z.object({ target: z.object({ classes: z.array(z.string()).optional() }) });

/** `classes` are those of the model file, none of a target of another kind. */
export function sayRow(
  predictor: Predictor,
  values: Float32Array,
  classes: readonly string[] | undefined,
): Pick<Prediction, 'prediction' | 'class' | 'probabilities'> {
  if (!classes) return { prediction: predictor.predict(values) };
  const scores = predictor.scores(values);
  const prediction = likeliest(scores, 0, classes.length);
  const probabilities = Object.fromEntries(classes.map((name, place) => [name, scores[place] ?? NaN]));
  return { prediction, class: classes[prediction] ?? '', probabilities };
}

/** The names of the classes that a version's `definition.json` holds. */
export function classesIn(definition: string): readonly string[] | undefined {
  return definitionSchema.parse(JSON.parse(definition)).target.classes;
}
