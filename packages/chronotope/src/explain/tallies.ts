import { meanOf } from '../evaluation/bootstrap.js';
import { argmax } from '../evaluation/video-level.js';
import type { ClassifierResults, TestResults } from './content.js';

/** For each test video the share of the label draws in which the classifier was right. */
export function rightShares({ draws }: ClassifierResults, { videos }: Pick<TestResults, 'videos'>): number[] {
  return videos.map(({ truth }, video) => meanOf(draws.map((draw) => (argmax(draw[video]!) === truth ? 1 : 0))));
}

/** The mean of a value of each test video over the videos of each class; NaN for a class without test videos. */
export function classMeans(
  values: readonly number[],
  { videos }: Pick<TestResults, 'videos'>,
  classes: readonly string[],
): number[] {
  return classes.map((_, index) => meanOf(values.filter((_, video) => videos[video]!.truth === index)));
}

/** `[truth][prediction]`: videos, summed over the label draws. */
export function confusionCounts(
  { draws }: ClassifierResults,
  { videos }: Pick<TestResults, 'videos'>,
  classes: readonly string[],
): number[][] {
  const counts = classes.map(() => classes.map(() => 0));
  for (const draw of draws) {
    for (const [video, { truth }] of videos.entries()) counts[truth]![argmax(draw[video]!)]!++;
  }
  return counts;
}

/** Shares of the label draws in which one, both or neither of the teachers are right about a video. */
export interface TeacherOutcome {
  onlyInvariant: number;
  onlyDistinctive: number;
  both: number;
  neither: number;
}

/** Which teacher is right about each test video. */
export function teacherOutcomes({ videos, teachers }: Pick<TestResults, 'videos' | 'teachers'>): TeacherOutcome[] {
  const { invariant, distinctive } = teachers!;
  const draws = Math.min(invariant.draws.length, distinctive.draws.length);
  return videos.map(({ truth }, video) => {
    const outcome = { onlyInvariant: 0, onlyDistinctive: 0, both: 0, neither: 0 };
    for (let draw = 0; draw < draws; draw++) {
      const first = argmax(invariant.draws[draw]![video]!) === truth;
      const second = argmax(distinctive.draws[draw]![video]!) === truth;
      outcome[first ? (second ? 'both' : 'onlyInvariant') : second ? 'onlyDistinctive' : 'neither'] += 1 / draws;
    }
    return outcome;
  });
}
