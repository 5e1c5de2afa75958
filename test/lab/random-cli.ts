/** `npm run lab:random -- --draws N --seed S`: random firewalls, see random.ts. */
import { parseArgs } from 'node:util';
import { runRandom } from './random-run.js';

const { values } = parseArgs({
  options: {
    draws: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    range: { type: 'string', default: '16384-32767' },
    'max-pps': { type: 'string', default: '20000' },
  },
});
/** How many errors are worth printing. */
const MAX_LINES = 40;
const [from = 16_384, to = 32_767] = values.range.split('-').map(Number);
const { wrong, inexact } = await runRandom({
  draws: Number(values.draws),
  seed: Number(values.seed),
  range: [from, to],
  maxPps: Number(values['max-pps']),
  onDraw: (line) => console.log(line),
});
console.log(
  [...wrong, ...inexact]
    .slice(0, MAX_LINES)
    .map((line) => `  ${line}`)
    .join('\n'),
);
console.log(`${values.draws} draws from seed ${values.seed}: ${wrong.length} wrong, ${inexact.length} inexact`);
process.exit(wrong.length === 0 ? 0 : 1);
