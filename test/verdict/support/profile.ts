/** A profile of the least that a profile needs; its rows and symptoms are the test's own. */
import type { Profile } from '../../../src/model/profile.js';

export const exampleProfile = (
  fields: Pick<Profile, 'thresholdsSources' | 'symptoms'> & Partial<Profile>,
): Profile => ({
  profile: 'example',
  title: 'Example',
  summary: 'A service.',
  notes: [],
  thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.01 },
  requirements: [],
  ...fields,
});
