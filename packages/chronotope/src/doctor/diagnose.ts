import { describeDecoders, examineFfmpeg, testDecodingSpeed, testFirstLook } from './ffmpeg.js';
import { type Finding, under } from './finding.js';
import { examineLibtorch } from './libtorch.js';
import { examineDisk, examineMemory, examineNode, examineProcessor } from './machine.js';
import { testArithmeticSpeed, testTrainingSpeed } from './speed.js';

/** What {@link diagnose} looks at. */
export interface DiagnoseOptions {
  /** Measure matrix products, convolutions, training and decoding, about five seconds in all. Default true. */
  speed?: boolean;
}

/** Examines everything the toolkit needs from this machine. What is missing is a finding, never an exception. */
export async function diagnose({ speed = true }: DiagnoseOptions = {}): Promise<Finding[]> {
  const machine = [examineNode(), examineProcessor(), examineMemory(), await examineDisk()];
  const libtorch = examineLibtorch();
  const ffmpeg = await examineFfmpeg();
  const speeds = [];
  if (speed && isUsable(libtorch[0])) speeds.push(...(await testArithmeticSpeed()), testTrainingSpeed());
  if (speed && isUsable(ffmpeg)) speeds.push(await testFirstLook(), await testDecodingSpeed());
  return [
    ...under('Machine', machine),
    ...under('libtorch', libtorch),
    ...under('Video', isUsable(ffmpeg) ? [ffmpeg, await describeDecoders()] : [ffmpeg]),
    ...under('Speed', speeds),
  ];
}

function isUsable(finding: Pick<Finding, 'status'> | undefined): boolean {
  return finding !== undefined && finding.status !== 'missing';
}
