#!/usr/bin/env node
/** The reflector's command line. */
import { packageVersion } from '../probing/who.js';
import { asksForVersion, EXIT, main } from './main.js';

await main('reflector', async () => {
  const argv = process.argv.slice(2);
  if (asksForVersion(argv)) {
    process.stdout.write(`${packageVersion()}\n`);
    return EXIT.ok;
  }
  if (argv.includes('--help') || argv.includes('-h')) {
    const { REFLECTOR_HELP } = await import('./help.js');
    process.stdout.write(REFLECTOR_HELP);
    return EXIT.ok;
  }
  const { reflectorCommand } = await import('./reflector-command.js');
  return reflectorCommand(argv, process.env);
});
