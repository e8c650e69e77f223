import { existsSync } from 'node:fs';
import path from 'node:path';
import { FEATURE_PROTOCOLS, type FeatureProtocol } from '../../evaluation/feature-protocols.js';
import { counted } from '../../explain/format.js';
import type { FeatureProtocolResults, FeatureResults } from '../../explain/language/content.js';
import { readJson } from '../../training/json-files.js';
import type { FeatureEvaluation } from '../evaluate-features.js';
import { type RunData, readTestData } from '../run-data.js';
import type { RunFolder } from '../run-folder.js';
import { quoted } from './protocol.js';

const TITLES: Record<FeatureProtocol, string> = {
  knn: 'k-NN',
  linear: 'linear probe',
  'linear-sgd': 'linear probe by SGD',
  retrieval: 'retrieval',
};
/** What a report should have; the other probe is a matter of taste. */
const EXPECTED: readonly FeatureProtocol[] = ['knn', 'linear', 'retrieval'];

/** What `chronotope evaluate` has left in the folder of a run, and the commands for what it has not. */
export function featureResults(run: RunFolder): FeatureResults {
  const file = (protocol: FeatureProtocol) => run.path(`evaluation-${protocol}.json`);
  const done = FEATURE_PROTOCOLS.filter((protocol) => existsSync(file(protocol)));
  const missing = canBeEvaluated(run) ? EXPECTED.filter((protocol) => !done.includes(protocol)) : [];
  return {
    finished: done.map((protocol) => resultsOf(readJson(file(protocol)) as FeatureEvaluation)),
    commands: missing.map(
      (protocol) => `chronotope evaluate ${quoted(path.resolve(run.folder))} --protocol ${protocol}`,
    ),
  };
}

function resultsOf({ protocol, stages, videos }: FeatureEvaluation): FeatureProtocolResults {
  const { name, labels, features, clips, crops, training } = protocol;
  const known = `${training.join(' and ')} labelled training videos${labels === 'all' ? '' : ', the labels that were known'}`;
  const views = `${features} features, ${counted(clips, 'clip')} × ${counted(crops, 'crop')} a video`;
  return {
    title: TITLES[name],
    settings: `${counted(videos, 'test video')} against ${known}; ${views}`,
    networks: stages.map(({ stage, title, measures }) => ({ stage, title, measures })),
  };
}

/** Whether there is anything to test on, and labels to compare with. */
function canBeEvaluated(run: RunFolder): boolean {
  const { test, train = [] } = readTestData(run) as Partial<RunData> & ReturnType<typeof readTestData>;
  return test.length > 0 && train.some(({ label }) => label !== null);
}
