/** Asks on the terminal, one question after the other; what is typed for a secret is not shown. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

export interface Question {
  readonly text: string;
  /** Nothing of the answer appears on the screen. */
  readonly secret: boolean;
  /** @returns what is wrong with an answer, for the question to be asked again; null if nothing is */
  readonly judge: (answer: string) => string | null;
}

/**
 * Asks on stdin and stderr.
 * @returns an answer for each question, without blanks around it; null if the terminal ends before (Ctrl-D, Ctrl-C)
 */
export const askAll = (questions: readonly Question[]): Promise<readonly string[] | null> =>
  new Promise((resolve) => {
    const answers: string[] = [];
    let hidden = false;
    const screen = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!hidden) process.stderr.write(chunk);
        done();
      },
    });
    // In raw mode for all questions: the terminal would show what is pasted ahead of its question. No history, which holds secrets.
    const terminal = createInterface({ input: process.stdin, output: screen, terminal: true, historySize: 0 });
    const askNext = (): void => {
      const question = questions[answers.length];
      if (question === undefined) {
        terminal.close();
        return;
      }
      terminal.setPrompt(question.text);
      terminal.prompt();
      hidden = question.secret;
    };
    terminal.on('line', (line) => {
      if (hidden) process.stderr.write('\n');
      hidden = false;
      const answer = line.trim();
      const wrong = questions[answers.length]?.judge(answer) ?? null;
      if (wrong === null) answers.push(answer);
      else process.stderr.write(`   ${wrong}\n`);
      askNext();
    });
    terminal.on('close', () => resolve(answers.length === questions.length ? answers : null));
    askNext();
  });
