/** The report's JSON Schema, from the very definition that the types come from, so that the two cannot part. */
import { REPORT_SCHEMA_ID, ReportSchema } from '../model/report.js';

/** A name, not a place: nothing fetches it. It changes with the major version only. */
const SCHEMA_URN = `urn:${REPORT_SCHEMA_ID.replace(/[./]/g, ':')}`;

/**
 * JSON Schema 2020-12 of a report. Objects are open, because a report may gain fields within a major version.
 * Loads the converter when called: no other command needs it.
 */
export const reportJsonSchema = async (): Promise<Readonly<Record<string, unknown>>> => {
  const { toJsonSchema } = await import('@valibot/to-json-schema');
  const { $schema, ...schema } = toJsonSchema(ReportSchema, { target: 'draft-2020-12', typeMode: 'output' });
  return {
    $schema,
    $id: SCHEMA_URN,
    title: 'callpath report',
    description: `The result of one run of callpath's probe (${REPORT_SCHEMA_ID}). Consumers ignore fields that they do not know.`,
    ...schema,
  };
};
