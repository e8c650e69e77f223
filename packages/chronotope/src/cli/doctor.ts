import { styleText } from 'node:util';
import { Command } from 'commander';
import { diagnose } from '../doctor/diagnose.js';
import { AREAS, type Finding } from '../doctor/finding.js';
import { EXIT } from './report-error.js';

/** `chronotope doctor`: what the toolkit finds on this machine, how fast it is, and how to mend what is missing. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check what Chronotope needs on this machine, and how fast it is')
    .option('--json', 'print the findings as JSON')
    .option('--no-speed', 'leave out the speed tests, which take about 5 seconds')
    .addHelpText(
      'after',
      '\nThe exit code is 1 when something is missing without which nothing works.\n\nExample:\n  $ chronotope doctor --json | jq \'.[] | select(.status != "ok")\'',
    )
    .action(async (options: { json?: boolean; speed: boolean }, command: Command) => {
      const findings = await diagnose({ speed: options.speed });
      const text = options.json ? `${JSON.stringify(findings, null, 2)}\n` : renderFindings(findings);
      command.configureOutput().writeOut?.(text);
      if (findings.some((finding) => finding.status === 'missing')) process.exitCode = EXIT.failed;
    });
}

const MARKS = { ok: paint('green', '✓'), warning: paint('yellow', '!'), missing: paint('red', '✗') };

/** The findings as aligned lines under their headings, and a closing line that says whether all is well. */
export function renderFindings(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const margin = ' '.repeat('  ✓ '.length + width + 2);
  const areas = AREAS.map((area) => ({ area, own: findings.filter((finding) => finding.area === area) }));
  const blocks = areas
    .filter(({ own }) => own.length > 0)
    .map(({ area, own }) => {
      const lines = own.flatMap(({ name, status, detail, fix }) => {
        const [first = '', ...others] = detail.split('\n');
        const mend = fix?.split('\n').map((line, i) => `${i === 0 ? 'to mend: ' : '         '}${line}`) ?? [];
        return [
          `  ${MARKS[status]} ${name.padEnd(width)}  ${first}`,
          ...[...others, ...mend].map((line) => margin + line),
        ];
      });
      return [paint('bold', area), ...lines, ''];
    });
  return `${[...blocks.flat(), verdict(findings)].join('\n')}\n`;
}

function verdict(findings: Finding[]): string {
  const named = (status: Finding['status']) => findings.filter((finding) => finding.status === status);
  const names = (some: Finding[]) => some.map(({ name }) => name).join(', ');
  const [missing, warnings] = [named('missing'), named('warning')];
  if (missing.length > 0) return `Chronotope cannot work yet. Missing: ${names(missing)}.`;
  if (warnings.length > 0) return `Chronotope works. Could be better: ${names(warnings)}.`;
  return 'All is well.';
}

/** Colours text where it goes to a terminal; older Nodes' styleText would colour a file as well. */
function paint(style: 'bold' | 'green' | 'yellow' | 'red', text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}
