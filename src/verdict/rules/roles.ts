/** What people notice when all that one role of a service needs does not pass: a sentence for each symptom that a profile may name. */
import type { Profile, RequirementRole, RoleSymptom } from '../../model/profile.js';
import { symptomOf } from '../../model/profile.js';
import type { SymptomText } from './rule.js';

const TEXTS: Readonly<Record<RoleSymptom, string>> = {
  'cannot-register': 'Phones cannot register: no calls in or out.',
  'wifi-calling-unavailable': 'Wi-Fi Calling does not come up: no calls in or out over this network.',
  'facetime-cannot-connect': 'FaceTime does not connect: no calls in or out.',
  'cannot-sign-in': 'The app cannot sign in or set up calls: no calls or meetings with it.',
  'trunk-down': 'The trunk does not come up: no calls to or from the provider.',
  'messages-fail': 'Messages are neither sent nor received over this network.',
  'no-audio': 'Calls connect without audio: no media passes.',
  'push-delayed': 'Incoming calls ring late or not at all: the push connection is blocked.',
  'lost-inbound-calls': 'Incoming calls stop after some idle time: keepalives do not reach the far end.',
  'provisioning-fails': 'New or reset phones do not get their configuration; phones already set up keep working.',
  'activation-fails': 'Handsets may not offer the service at all: they cannot reach the carrier to activate it.',
  'wrong-time': 'Phones show the wrong time and may reject certificates because of it.',
  'app-limited': 'Parts of the service that use the web do not work.',
  'cannot-find-service': 'The host names of the service do not resolve: its phones and apps may not find it.',
};

/** The symptom of a role in this service, as a sentence. */
export const roleSymptom = (profile: Pick<Profile, 'symptoms'>, role: RequirementRole): SymptomText => {
  const id = symptomOf(profile, role);
  return { id, text: TEXTS[id] };
};
