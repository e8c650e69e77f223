import Table from 'cli-table3';
import { describeGroup } from './data-set-findings.js';
import type { Finding } from './findings.js';
import type { ClassCount, HealthReport, Share, Spread } from './health.js';

const MARKS: Record<Finding['severity'], string> = { error: '!!', warning: '!', note: '' };
const MOST_ROWS = 12;
const MOST_GROUPS = 20;

/** The report as text for a terminal of 110 columns, without colours. */
export function renderHealth(report: HealthReport): string {
  const parts = [
    summary(report),
    leakBanner(report),
    findingsTable(report.findings),
    quarantineTable(report),
    duplicatesTable(report),
    classTable(report.classes),
    spreadTable(report),
    mixTable(report),
    closing(report),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function summary({ source, layout, videos, usable, seconds, bytes, frames, withSound }: HealthReport): string {
  const { format, recognisedBy } = layout;
  return [
    `Health of ${source}`,
    ...(format === 'class-folders' ? [] : [`read as ${format}${recognisedBy === null ? '' : `: ${recognisedBy}`}`]),
    `${videos} videos, ${usable} usable: ${formatDuration(seconds)}, ${frames} frames, ${formatBytes(bytes)}, ` +
      `${withSound} with sound`,
  ].join('\n');
}

/** Nothing spoils results more quietly than test videos that were trained on, so this comes first and loud. */
function leakBanner({ duplicates, findings }: HealthReport): string {
  const leaks = duplicates.filter(({ acrossSplits }) => acrossSplits);
  const groups = findings.find(({ code }) => code === 'group-in-both-splits');
  const lines = [
    ...(leaks.length === 0 ? [] : [`${leaks.length} video(s) are in more than one of training, validation and test`]),
    ...(groups === undefined
      ? []
      : [`${groups.count} group(s) have videos in more than one of training, validation and test`]),
  ];
  if (lines.length === 0) return '';
  const text = ['LEAK: test results will be better than the truth', ...lines];
  const width = Math.max(...text.map((line) => line.length));
  return ['#'.repeat(width + 6), ...text.map((line) => `## ${line.padEnd(width)} ##`), '#'.repeat(width + 6)].join(
    '\n',
  );
}

function findingsTable(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Nothing to complain about.';
  const table = tableOf(['', 'finding', 'count', 'for example', 'what to do'], [4, 26, 7, 34, 33]);
  for (const { severity, title, count, examples, advice } of findings) {
    table.push([MARKS[severity], title, String(count), examples[0] ?? '', advice]);
  }
  return `Findings (!! spoils results, ! look at it)\n${table}`;
}

function quarantineTable({ quarantine, quarantined }: HealthReport): string {
  if (quarantined === 0) return '';
  const table = tableOf(['reason', 'file', 'what is wrong', 'what to do'], [17, 30, 32, 26]);
  for (const { code, count, hint, examples } of quarantine) {
    for (const [i, { id, reason }] of examples.slice(0, MOST_ROWS).entries()) {
      table.push([i === 0 ? code : '', id, reason, i === 0 ? hint : '']);
    }
    if (count > MOST_ROWS) table.push(['', `and ${count - MOST_ROWS} more`, '', '']);
  }
  return `Quarantine: ${quarantined} file(s) left out (all of them in quarantine.jsonl)\n${table}`;
}

function duplicatesTable({ duplicates }: HealthReport): string {
  if (duplicates.length === 0) return '';
  const table = tableOf(['', 'kind', 'videos'], [9, 16, 81]);
  for (const group of duplicates.slice(0, MOST_GROUPS)) {
    const mark = group.acrossSplits ? '!! LEAK' : group.labelsDiffer ? '!!' : '!';
    const kind = group.kind === 'exact' ? 'same file' : `near: ${group.distance} bits`;
    table.push([mark, kind, describeGroup(group)]);
  }
  const more =
    duplicates.length > MOST_GROUPS ? `\nand ${duplicates.length - MOST_GROUPS} more, all in health.json` : '';
  return `Duplicates: ${duplicates.length} group(s) of videos that are the same\n${table}${more}`;
}

function classTable(classes: readonly ClassCount[]): string {
  if (classes.length === 0) return '';
  const bySize = [...classes].sort((a, b) => b.train - a.train || (a.name < b.name ? -1 : 1));
  const most = Math.max(1, bySize[0]!.train);
  const parts = (['train', 'validation', 'test'] as const).filter(
    (part) => part !== 'validation' || classes.some(({ validation }) => validation > 0),
  );
  const table = tableOf(['class', ...parts, ''], [32, ...parts.map((part) => Math.max(8, part.length + 2)), 26]);
  const isLong = bySize.length > 2 * MOST_ROWS;
  const shown = isLong ? [...bySize.slice(0, MOST_ROWS), ...bySize.slice(-MOST_ROWS)] : bySize;
  for (const [i, counted] of shown.entries()) {
    if (isLong && i === MOST_ROWS)
      table.push([`… ${bySize.length - 2 * MOST_ROWS} more …`, ...parts.map(() => ''), '']);
    const bar = '█'.repeat(Math.round((24 * counted.train) / most));
    table.push([counted.name, ...parts.map((part) => String(counted[part])), bar]);
  }
  return `Classes: ${classes.length}\n${table}`;
}

function spreadTable({ spread }: HealthReport): string {
  if (spread === null) return '';
  const table = tableOf(['', 'least', '5 %', 'median', '95 %', 'most'], [30, 12, 12, 12, 12, 12]);
  const row = (title: string, { least, p5, median, p95, most }: Spread, digits: number) =>
    table.push([title, ...[least, p5, median, p95, most].map((value) => value.toFixed(digits))]);
  row('duration, measured [s]', spread.duration, 2);
  row('duration, stated [s]', spread.statedDuration, 2);
  row('frames', spread.frames, 0);
  row('between key frames, at most [s]', spread.keyframeSpacing, 2);
  return String(table);
}

function mixTable({ mix }: HealthReport): string {
  const columns: [string, readonly Share[]][] = [
    ['frames/s', mix.frameRates],
    ['size', mix.sizes],
    ['codec', mix.codecs],
    ['container', mix.containers],
    ['pixels', mix.pixelFormats],
    ['rotation', mix.rotations],
  ];
  const rows = Math.max(...columns.map(([, shares]) => Math.min(shares.length, MOST_ROWS)));
  if (rows === 0) return '';
  const widths = [18, 18, 17, 17, 20, 13];
  const table = tableOf(
    columns.map(([title]) => title),
    widths,
  );
  for (let i = 0; i < rows; i++) table.push(columns.map(([, shares]) => shareCell(shares, i)));
  return `Mix (videos)\n${table}`;
}

function shareCell(shares: readonly Share[], row: number): string {
  const share = shares[row];
  if (share === undefined) return '';
  const hidden = shares.length - row;
  return row === MOST_ROWS - 1 && hidden > 1 ? `and ${hidden} more` : `${share.value} (${share.videos})`;
}

function closing({ folder, usable, quarantined }: HealthReport): string {
  return `Written to ${folder}: manifest.jsonl (${usable}), quarantine.jsonl (${quarantined}), health.json, health.txt`;
}

function tableOf(head: string[], colWidths: number[]) {
  return new Table({
    head,
    colWidths,
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: { head: [], border: [], compact: true },
  });
}

function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${(seconds / 3600).toFixed(1)} h`;
}

function formatBytes(bytes: number): string {
  const [unit, size] = [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ].find(([, size]) => bytes >= Number(size)) ?? ['bytes', 1];
  return `${(bytes / Number(size)).toFixed(unit === 'bytes' ? 0 : 1)} ${unit}`;
}
