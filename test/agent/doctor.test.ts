/** What the doctor says of the kernel's window: whether there is one, and why not. */
import t from 'tap';
import { kernelFindings } from '../../src/agent/doctor.js';
import { hasKernel, type Kernel, kernelView } from '../../src/net/kernel/kernel.js';

const view = await kernelView();

t.test('a host that shows all of it', { skip: hasKernel(view) ? false : view.why }, async (t) => {
  t.same(
    kernelFindings(view).map(({ ability }) => ability),
    ['yes', 'yes'],
  );
});

t.test('a host that does not is told why, and what is left', async (t) => {
  const findings = kernelFindings({ why: 'the optional package koffi is not installed' });
  t.same(
    findings.map(({ ability }) => ability),
    ['limited', 'no'],
  );
  for (const { why } of findings) t.match(why, /koffi is not installed$/);
});

t.test('what loads and is forbidden all the same is not called able', async (t) => {
  const forbidden: Kernel = {
    openFlow: () => {
      throw { code: 'EPERM', syscall: 'socket' };
    },
    tryConnection: () => Promise.reject({ code: 'EPERM', syscall: 'socket' }),
  };
  for (const { ability, why } of kernelFindings(forbidden)) {
    t.not(ability, 'yes');
    t.match(why, /the system refuses it \(socket: EPERM\)$/);
  }
});
