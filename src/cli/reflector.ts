#!/usr/bin/env node
/** The reflector's command line. */
import { EXIT, main } from './main.js';
import { answersVersion } from './version.js';

const command = async (): Promise<number> => {
  const argv = process.argv.slice(2);
  if (argv.includes('--help') || argv.includes('-h')) {
    const { REFLECTOR_HELP } = await import('./help.js');
    process.stdout.write(REFLECTOR_HELP);
    return EXIT.ok;
  }
  const { reflectorCommand } = await import('./reflector-command.js');
  return reflectorCommand(argv, process.env);
};

if (!answersVersion(process.argv.slice(2))) await main('reflector', command);
