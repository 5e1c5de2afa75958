/** The parts of a configuration, each judged by its own shape: one that is wrong hides no other. */
import * as v from 'valibot';
import { nearest } from '../../model/nearest.js';
import { isMap } from '../../model/schema-words.js';
import { AgentSchema, type Config, ConfirmationSchema, ExporterSchema, Line, TargetSchema } from './schema.js';

/** Null stands where a part is wrong in shape; lists keep their places. */
export interface Parts {
  readonly agent: Config['agent'] | null;
  /** Undefined: none is named, and the default counts. Null: what was meant is not known. */
  readonly stateDirectory: string | undefined | null;
  readonly confirmation: Config['confirmation'] | null;
  readonly targets: readonly (Config['targets'][number] | null)[];
  readonly exporters: readonly (Config['exporters'][number] | null)[];
  /** Null also where there is none. Its keys are judged by the status page's own schema. */
  readonly status: Readonly<Record<string, unknown>> | null;
}

const sound = <Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> | null => {
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output : null;
};

const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** `agnet: {…}` is a mistake of its own: what it would have said is not known, so that no default is judged in its place. */
const agentOf = (root: Readonly<Record<string, unknown>>): unknown =>
  root.agent === undefined && Object.keys(root).some((key) => nearest(key, ['agent']) !== null) ? null : root.agent;

/** Never throws, whatever the value is. */
export const partsOf = (value: unknown): Parts => {
  const root = isMap(value) ? value : { agent: null, confirmation: null };
  const raw = agentOf(root);
  const agent = sound(AgentSchema, raw);
  return {
    agent,
    stateDirectory: agent === null ? sound(Line, isMap(raw) ? raw.stateDirectory : null) : agent.stateDirectory,
    confirmation: sound(ConfirmationSchema, root.confirmation),
    targets: items(root.targets).map((target) => sound(TargetSchema, target)),
    exporters: items(root.exporters).map((exporter) => sound(ExporterSchema, exporter)),
    status: isMap(root.status) ? root.status : null,
  };
};
