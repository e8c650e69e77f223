import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Box } from '../data/manifest.js';
import { evaluateTrackers, type TrackerEvaluation } from '../runs/tracking/evaluate-trackers.js';
import { writeGot10kSubmission } from '../runs/tracking/submit-got10k.js';
import { trackVideo } from '../runs/tracking/track-video.js';
import { interruptible } from './run-command.js';
import { percent, plainTable } from './tables.js';

/** `chronotope track evaluate | run`: what trackers are good for. */
export function trackCommand(): Command {
  return new Command('track')
    .description('follow objects with a tracker, and measure how well')
    .addCommand(evaluateCommand())
    .addCommand(runCommand())
    .addCommand(submitCommand());
}

interface EvaluateFlags {
  data: string;
  sequences?: string[];
  videos?: boolean;
  report?: string;
  tuned?: boolean;
  json?: boolean;
}

function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('follow the objects of test sequences: success and precision (OTB), AO and SR (GOT-10k)')
    .argument('<runs...>', 'run folders of trackers, which are compared')
    .requiredOption('--data <folder or list>', 'sequences in the layout of OTB or GOT-10k, or a manifest with boxes')
    .option('--sequences <names...>', 'only these; default: all but those of the training part')
    .option('--videos', 'also write each sequence as a video: tracked boxes in red, true ones in green')
    .option('--report <file>', 'the HTML page with the curves; default: tracking/report.html in the first run folder')
    .addOption(tunedOption())
    .option('--json', 'print everything, with the curves, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope track evaluate ./runs/tracker --data ./OTB' +
        '\n  $ chronotope track evaluate ./runs/pretrained ./runs/random --data ./GOT-10k/val' +
        '\n  $ chronotope track evaluate ./runs/tracker --data ./OTB --sequences Crossing --videos',
    )
    .action(async (runs: string[], { json, ...flags }: EvaluateFlags) => {
      const { trackers, report } = await interruptible((signal, progress) =>
        evaluateTrackers(runs, { ...flags, signal, progress }),
      );
      const text = json ? `${JSON.stringify(trackers, null, 2)}\n` : `\n${trackerTable(trackers)}curves: ${report}\n`;
      process.stdout.write(text);
    });
}

interface SubmitFlags {
  data: string;
  out: string;
  tuned?: boolean;
}

function submitCommand(): Command {
  return new Command('submit')
    .description('follow the objects of sequences whose truth is secret, and write what the server of GOT-10k takes')
    .argument('<run>', 'the run folder of a tracker')
    .requiredOption('--data <folder or list>', 'the test part of GOT-10k')
    .requiredOption('--out <folder>', 'the folder to write, named like the tracker; pack it as a zip archive')
    .addOption(tunedOption())
    .addHelpText('after', '\nExample:\n  $ chronotope track submit ./runs/tracker --data ./GOT-10k/test --out ./mine')
    .action(async (run: string, flags: SubmitFlags) => {
      const count = await interruptible((signal, progress) =>
        writeGot10kSubmission(run, { ...flags, signal, progress }),
      );
      process.stdout.write(`${flags.out}: ${count} sequences\n`);
    });
}

interface RunFlags {
  box: Box;
  out?: string;
  tuned?: boolean;
  json?: boolean;
}

function runCommand(): Command {
  return new Command('run')
    .description('follow an object through a video: the video with its box, and the boxes as JSON')
    .argument('<run>', 'the run folder of a tracker')
    .argument('<video>', 'a video file')
    .requiredOption('--box <x,y,w,h>', 'the object in the first frame, in pixels; the top left pixel is 1,1', box)
    .option('--out <file>', 'the video to write; default: <video>.tracked.mp4 in the current folder')
    .addOption(tunedOption())
    .option('--json', 'print the boxes as JSON')
    .addHelpText('after', '\nExample:\n  $ chronotope track run ./runs/tracker match.mp4 --box 160,83,56,65')
    .action(async (run: string, video: string, { out, json, ...flags }: RunFlags) => {
      const target = out ?? `${path.parse(video).name}.tracked.mp4`;
      const track = await interruptible((signal, progress) =>
        trackVideo(run, video, { ...flags, out: target, signal, progress }),
      );
      const written = `${track.out.video}\n${track.out.boxes}\n`;
      process.stdout.write(json ? `${JSON.stringify(track, null, 2)}\n` : written);
    });
}

function tunedOption(): Option {
  return new Option('--tuned', 'measure the fastest convolutions first; the last bits of the boxes may then change');
}

/** The scores of trackers, a row for each. */
function trackerTable(trackers: readonly TrackerEvaluation[]): string {
  const table = plainTable(['', 'success', 'precision', 'AO', 'SR 0.5', 'SR 0.75', 'frames/s']);
  for (const { run, framesPerSecond, scores } of trackers) {
    const { otb, got10k } = scores;
    const shares = [otb.success, otb.precision, got10k.averageOverlap, got10k.successRate50, got10k.successRate75];
    table.push([run, ...shares.map(percent), framesPerSecond.toFixed(1)]);
  }
  const { sequences } = trackers[0]!.scores;
  const frames = sequences.reduce((sum, sequence) => sum + sequence.frames, 0);
  return `${table}\n${sequences.length} sequences, ${frames} frames\n`;
}

/** The value of `--box`. */
function box(text: string): Box {
  const values = text.split(',').map(Number);
  if (values.length === 4 && values.every(Number.isFinite) && !/(^|,)\s*(,|$)/.test(text)) return values as Box;
  throw new InvalidArgumentError('expected four numbers, x,y,width,height.');
}
