/** What people notice when all that one role of a service needs does not pass: a sentence for each symptom that a profile may name. */
import type { Profile, RequirementRole, RoleSymptom } from '../../model/profile.js';
import { symptomOf } from '../../model/profile.js';
import type { SymptomText } from './rule.js';

const TEXTS: Readonly<Record<RoleSymptom, string>> = {
  'cannot-register': 'Phones cannot register: nobody can call out or be called.',
  'wifi-calling-unavailable': 'Wi-Fi Calling does not come up: phones make and get no calls over this network.',
  'facetime-cannot-connect': 'FaceTime does not connect: no call goes out or comes in.',
  'cannot-sign-in': 'The app cannot sign in or set up calls: nobody can call, join or be called with it.',
  'trunk-down': 'The trunk does not come up: no call goes out to the provider or comes in from it.',
  'messages-fail': 'Messages are neither sent nor received over this network.',
  'no-audio': 'Calls connect and stay silent: no audio passes.',
  'push-delayed': 'Incoming calls ring late or not at all: the push connection does not pass.',
  'lost-inbound-calls': 'Incoming calls stop after some idle time: keepalives do not reach the far end.',
  'provisioning-fails': 'New or reset phones do not get their configuration; phones that are set up go on.',
  'activation-fails': 'Handsets may not offer the service at all: they cannot ask the carrier for leave to use it.',
  'wrong-time': 'Phones show a wrong time, and may refuse certificates because of it.',
  'app-limited': 'Parts of the service that use the web do not work.',
  'cannot-find-service': 'Names of the service do not resolve: its phones and apps may not find it.',
};

/** The symptom of a role in this service, as a sentence. */
export const roleSymptom = (profile: Pick<Profile, 'symptoms'>, role: RequirementRole): SymptomText => {
  const id = symptomOf(profile, role);
  return { id, text: TEXTS[id] };
};
