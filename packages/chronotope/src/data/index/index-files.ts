/** Names of the files in the folder that the index writes. */
export const INDEX_FILES = {
  manifest: 'manifest.jsonl',
  quarantine: 'quarantine.jsonl',
  report: 'health.json',
  reportText: 'health.txt',
  journal: 'inspected.jsonl',
} as const;
