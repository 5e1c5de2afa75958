/** Log lines for a person at a terminal: time, level, message and the rest. Elsewhere they stay JSON, one object a line. */
import pino from 'pino';
import { printable } from '../wire/printable.js';

const MAX_VALUE = 300;
/** pino's numbers. */
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const LEVEL_COLUMN = 6;
/** What each line of a log has, or says already. */
const COMMON: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'name']);

/** `09:45:24 warn  tcp 443 on ::: cannot be bound (EACCES)  port=443` of a line of JSON; what is none stays as it is. */
export const readableLine = (line: string): string => {
  try {
    const fields = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const { level, time, msg } = fields;
    const clock = typeof time === 'number' ? new Date(time).toISOString().slice(11, 19) : '';
    const rest = Object.entries(fields)
      .filter(([key]) => !COMMON.has(key))
      .map(
        ([key, value]) => `${key}=${printable(typeof value === 'string' ? value : JSON.stringify(value), MAX_VALUE)}`,
      );
    const head = `${clock} ${(LEVELS[Number(level)] ?? String(level)).padEnd(LEVEL_COLUMN)}`;
    return `${[`${head}${String(msg)}`, ...rest].join('  ')}\n`;
  } catch {
    return line;
  }
};

/** Where log lines go. */
export const logDestination = (stderr: NodeJS.WriteStream): pino.DestinationStream =>
  stderr.isTTY ? { write: (line) => stderr.write(readableLine(line)) } : pino.destination({ dest: 2, sync: true });
