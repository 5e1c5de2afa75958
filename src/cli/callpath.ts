#!/usr/bin/env node
/** Both commands under one name: `callpath reflector …` is `reflector …`, and anything else is `probe …`. */
import { answersVersion } from './version.js';

const argv = process.argv.slice(2);
const [first] = argv;
if (!answersVersion(argv)) {
  if (first === 'reflector' || first === 'probe') process.argv.splice(2, 1);
  await (first === 'reflector' ? import('./reflector.js') : import('./probe.js'));
}
