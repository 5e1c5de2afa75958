/** What people notice when all that one role of a service needs does not pass. */
import type { Profile, RequirementRole } from '../../model/profile.js';
import { symptomOf } from '../../model/profile.js';
import { ROLE_SYMPTOMS } from '../../words/diagnosis/symptoms.js';
import type { SymptomText } from './rule.js';

/** The symptom of a role in this service, as a sentence. */
export const roleSymptom = (profile: Pick<Profile, 'symptoms'>, role: RequirementRole): SymptomText => {
  const id = symptomOf(profile, role);
  return { id, text: ROLE_SYMPTOMS[id] };
};
