import { Command } from 'commander';
import { diagnose } from '../doctor/diagnose.js';
import type { Finding } from '../doctor/finding.js';
import { EXIT } from './report-error.js';

/** `chronotope doctor`: what the toolkit finds on this machine, how fast it is, and how to mend what is missing. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check what Chronotope needs on this machine, and how fast it is')
    .option('--json', 'print the findings as JSON')
    .option('--no-speed', 'leave out the speed tests')
    .action(async (options: { json?: boolean; speed: boolean }, command: Command) => {
      const findings = await diagnose({ speed: options.speed });
      const text = options.json ? `${JSON.stringify(findings, null, 2)}\n` : renderFindings(findings);
      command.configureOutput().writeOut?.(text);
      if (findings.some((finding) => finding.status === 'missing')) process.exitCode = EXIT.failed;
    });
}

/** The findings as aligned lines for people, and a closing line that says whether all is well. */
export function renderFindings(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const margin = ' '.repeat('missing'.length + width + 4);
  const lines = findings.flatMap(({ name, status, detail, fix }) => {
    const [first = '', ...others] = detail.split('\n');
    const finding = `${status.padEnd('missing'.length)}  ${name.padEnd(width)}  ${first}`;
    const mend = fix?.split('\n').map((line, i) => `${i === 0 ? 'to mend: ' : '         '}${line}`) ?? [];
    return [finding, ...[...others, ...mend].map((line) => margin + line)];
  });
  return `${[...lines, '', verdict(findings)].join('\n')}\n`;
}

function verdict(findings: Finding[]): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  if (count('missing') > 0) return `${count('missing')} missing: Chronotope cannot work yet.`;
  if (count('warning') > 0) return `Chronotope works; ${count('warning')} warning(s).`;
  return 'All is well.';
}
