import { examineFfmpeg, testDecodingSpeed } from './ffmpeg.js';
import type { Finding } from './finding.js';
import { examineLibtorch, testTrainingSpeed } from './libtorch.js';
import { examineDisk, examineMemory, examineNode, examineProcessor } from './machine.js';

/** What {@link diagnose} looks at. */
export interface DiagnoseOptions {
  /** Measure training and decoding speed, about three seconds in all. Default true. */
  speed?: boolean;
}

/** Examines everything the toolkit needs from this machine. What is missing is a finding, never an exception. */
export async function diagnose({ speed = true }: DiagnoseOptions = {}): Promise<Finding[]> {
  const libtorch = examineLibtorch();
  const ffmpeg = await examineFfmpeg();
  const findings = [examineNode(), ...libtorch, ffmpeg, examineProcessor(), examineMemory(), await examineDisk()];
  if (speed && libtorch[0]?.status === 'ok') findings.push(testTrainingSpeed());
  if (speed && ffmpeg.status === 'ok') findings.push(await testDecodingSpeed());
  return findings;
}
