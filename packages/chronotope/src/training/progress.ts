/** Where long work reports to. The command line draws bars; a library user may pass anything, or nothing. */
export interface Progress {
  /** Long work starts. `total` counts `unit`s; both are for people to read. */
  begin(title: string, total: number, unit: string): ProgressTask;
  /** One line worth reading on its own, such as a video that was left out. */
  note(line: string): void;
}

/** One piece of work whose progress is shown. */
export interface ProgressTask {
  /** `done` of `total` units are finished. */
  update(done: number, detail?: string): void;
  end(summary?: string): void;
}

/** Says nothing. */
export const silentProgress: Progress = {
  begin: () => ({ update: () => {}, end: () => {} }),
  note: () => {},
};
